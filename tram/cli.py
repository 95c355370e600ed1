"""`tram …`: the commands. It imports no plane: a plane's process is started by `python -m`."""


def main() -> int:
    """Entry point of the `tram` command; returns the exit code."""
    return 0
