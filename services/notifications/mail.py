"""Email by SMTP (RFC 5321) with STARTTLS (RFC 3207)."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from tram.notices.words import Message
from tram.settings import Settings

TIMEOUT = 15.0


class MailError(Exception):
    """It did not go. `permanent`: trying again cannot help."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


def compose(settings: Settings, to: str, message: Message, id: UUID) -> EmailMessage:
    """The mail. Its Message-ID is the same at every try: a mailbox shows it once."""
    mail = EmailMessage()
    mail["From"] = settings.smtp_from
    mail["To"] = to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{id}@{settings.smtp_from.rpartition('@')[2] or 'tram'}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message.text)
    return mail


def send(settings: Settings, to: str, message: Message, id: UUID) -> None:
    """Sends it. Raises MailError."""
    if not settings.smtp_host:
        raise MailError("no mail server: TRAM_SMTP_HOST is not set", permanent=False)
    try:
        with _connection(settings) as server:
            server.send_message(compose(settings, to, message, id))
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise MailError(_said(code, text), permanent=500 <= code < 600) from None
    except smtplib.SMTPAuthenticationError as error:  # a wrong setting of ours says nothing of the address
        raise MailError(_said(error.smtp_code, error.smtp_error), permanent=False) from None
    except smtplib.SMTPResponseException as error:
        raise MailError(_said(error.smtp_code, error.smtp_error), permanent=500 <= error.smtp_code < 600) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailError(f"the mail server: {error}"[:300], permanent=False) from None


def _connection(settings: Settings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.smtp_ca or None)
    host, port = settings.smtp_host, settings.smtp_port
    server: smtplib.SMTP
    if settings.smtp_tls == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    try:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)  # refuses to go on without TLS
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _said(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"the mail server said {code} {' '.join(said.split())}"[:300]
