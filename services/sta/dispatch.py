"""One operation to its answer: which module does it."""

from services.sta import get, write
from services.sta.answer import Answer, Request
from services.sta.read import Reader


def answer(reader: Reader, request: Request) -> Answer:
    """Does what is asked, in the reader's transaction. Raises TramError."""
    if request.method == "GET":
        return get.get(reader, request)
    return write.write(reader, request)
