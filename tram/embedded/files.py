"""Small files that others read while we write them: whole or not there, and closed to other users."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replaces the file in one step; a reader sees the old text or the new one.

    Args:
        path: the file; its folder exists.
        text: what it shall hold.
        mode: permission bits, whatever the umask.
        owner: (uid, gid) to give it to; only root may.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    # O_EXCL: nobody has put a link there for us to write through.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
