"""Sending one message through one channel, whatever its kind: what came of it."""

import base64
import http.client
import time
from dataclasses import dataclass
from uuid import UUID

import msgspec

from services.notifications import fetching, mail
from tram.identity.secrets import Keyring
from tram.notices import signing, webpush
from tram.notices.words import Message
from tram.settings import Settings
from tram.store.notices import Waiting


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it.

    Attributes:
        error: "" when it arrived.
        permanent: trying again cannot help.
        off: nothing will ever arrive through this channel.
        wait: seconds that the other side asks to wait before the next try.
    """

    error: str = ""
    permanent: bool = False
    off: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one channel: the outbox's rows that it is made of, and its words."""

    rows: list[Waiting]
    id: UUID
    message: Message

    @property
    def to(self) -> Waiting:
        """The channel's data, which all rows share."""
        return self.rows[0]


def purpose(channel: int) -> str:
    """What a channel's secret is sealed for."""
    return f"notice-channel:{channel}"


class Sender:
    """Sends. `push_key`: the server's key for push services.

    Args:
        settings: resolved ones.
        ring: opens the channels' secrets.
    """

    def __init__(self, settings: Settings, ring: Keyring, push_key: bytes) -> None:
        self._settings, self._ring, self._push_key = settings, ring, push_key
        self._private = settings.notify_private == "allow"

    def send(self, one: Outgoing) -> Result:
        """Sends one. Never raises: what went wrong is the answer."""
        try:
            kind = {"email": self._mail, "webhook": self._webhook, "push": self._push}[one.to.to_kind]
            return kind(one)
        except fetching.RefusedError as error:
            return Result(str(error), permanent=True, off=True)
        except (OSError, http.client.HTTPException) as error:
            return Result(f"not reached: {str(error).strip() or type(error).__name__}"[:300])
        except Exception as error:
            return Result(f"failed: {type(error).__name__}: {error}"[:300])

    def _mail(self, one: Outgoing) -> Result:
        try:
            mail.send(self._settings, one.to.address, one.message, one.id)
        except mail.MailError as error:
            return Result(str(error), permanent=error.permanent)
        return Result()

    def _webhook(self, one: Outgoing) -> Result:
        body = msgspec.json.encode(
            {
                "type": one.to.kind if len(one.rows) == 1 else "digest",
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "data": {
                    "subject": one.message.subject, "text": one.message.text, "url": one.message.url,
                    "changes": [msgspec.Raw(row.document.encode()) for row in one.rows if row.kind == "alarm"],
                },
            }
        )  # fmt: skip
        secret = self._ring.open(one.to.secret or b"", purpose(one.to.channel))
        headers = signing.headers(secret, str(one.id), int(time.time()), body)
        return self._posted(one.to.address, body, {"Content-Type": "application/json", **headers})

    def _push(self, one: Outgoing) -> Result:
        keys = msgspec.json.decode(self._ring.open(one.to.secret or b"", purpose(one.to.channel)), type=dict[str, str])
        said = {"title": one.message.subject[:160], "body": one.message.text[:1200], "url": one.message.url,
                "tag": one.message.tag, "id": str(one.id)}  # fmt: skip
        body = webpush.encrypt(msgspec.json.encode(said), keys["p256dh"], keys["auth"])
        contact = f"mailto:{self._settings.smtp_from}"
        headers = {
            "Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm", "TTL": "14400",
            "Urgency": "high" if max(row.priority for row in one.rows) >= 3 else "normal",
            "Topic": base64.urlsafe_b64encode(one.id.bytes).rstrip(b"=").decode(),  # replaces itself when sent twice
            "Authorization": webpush.authorization(one.to.address, self._push_key, contact, time.time()),
        }  # fmt: skip
        return self._posted(one.to.address, body, headers)

    def _posted(self, url: str, body: bytes, headers: dict[str, str]) -> Result:
        answer = fetching.post(url, body, headers, private=self._private)
        if 200 <= answer.status < 300:
            return Result()
        error = f"it answered {answer.status}"
        if answer.status in (404, 410):  # RFC 8030, 7.3: the subscription is no more; a webhook that is gone likewise
            return Result(
                error, permanent=True, off=answer.status == 410 or "vapid" in str(headers.get("Authorization"))
            )
        permanent = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 425, 429)
        return Result(error, permanent=permanent, wait=min(answer.retry_after, 3600.0))
