"""One error tree. `permanent` says whether trying the same thing again can help; `code` is stable, for machines."""


class TramError(Exception):
    """Anything Trạm refuses or cannot do.

    Attributes:
        code: stable, lower-case, dashed; the last part of a problem+json `type`, the `reason` of a dead letter.
        permanent: True when the same input will fail again (poison), False when waiting may help (a dependency away).
    """

    code = "error"
    permanent = True

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class SettingsError(TramError):
    """A setting is missing or wrong; the message is the one line a person needs."""

    code = "setting"


class PayloadError(TramError):
    """A whole message that no reading can be had from (bad UTF-8, not JSON, nested too deep, …)."""

    code = "payload"


class UnitError(TramError):
    """A unit is unknown, or cannot be turned into the one asked for."""

    code = "unit"


class NotFoundError(TramError):
    """What was asked for does not exist (or may not be seen)."""

    code = "not-found"


class ConflictError(TramError):
    """The write contradicts what is already stored."""

    code = "conflict"


class UnavailableError(TramError):
    """A dependency (database, broker, disk) is away, slow or full; retry with backoff."""

    code = "unavailable"
    permanent = False
