"""A child's log: its lines as they come, in files of bounded size. `name.log` is the newest, then `.1`, `.2` …"""

import contextlib
from pathlib import Path
from typing import BinaryIO

LARGEST = 8 << 20  # bytes of one file
KEPT = 3  # older files
LONGEST_LINE = 64 << 10  # a line without end is cut here


class LogFile:
    """Appends whole lines; turns over by size. A full disk loses lines, never the child.

    Args:
        folder: made when it does not exist.
        name: of the child.
    """

    def __init__(self, folder: Path, name: str, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self.path = folder / f"{name}.log"
        self.lost = 0
        self.last = ""
        self._largest, self._kept = largest, kept
        self._rest = b""
        folder.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO | None = None
        self._size = 0
        self._open()

    def write(self, data: bytes) -> list[str]:
        """Takes what came from the child; returns the lines that are whole now, without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        if lines:
            self._append(b"".join(line + b"\n" for line in lines))
        texts = [line.decode("utf-8", "replace") for line in lines]
        self.last = next((text for text in reversed(texts) if text.strip()), self.last)
        return texts

    def finish(self) -> list[str]:
        """The child's output has ended: its unfinished line counts as a line."""
        return self.write(b"\n") if self._rest else []

    def close(self) -> None:
        """Closes the file."""
        self.finish()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> None:
        try:
            if self._size + len(data) > self._largest and self._size:
                self._turn_over()
            if self._file is None:
                self._open()
            if self._file is not None:
                self._file.write(data)
                self._size += len(data)
        except OSError:
            self.lost += data.count(b"\n")

    def _open(self) -> None:
        self._file = self.path.open("ab", buffering=0)
        self._size = self.path.stat().st_size

    def _turn_over(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        for number in range(self._kept, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)
        self._open()
