"""What each problem `type` means: the address that errors carry answers."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.auth.guard import allowed
from services.errors import ANSWERS, PROBLEMS, Problem

router = APIRouter(prefix="/problems", tags=["problems"], dependencies=[allowed("open.read")], responses=ANSWERS)


class Meaning(BaseModel):
    """A kind of error."""

    type: str
    title: str
    status: int


@router.get("", summary="Every kind of error")
def list_problems() -> list[Meaning]:
    """The stable `type` of each, with its HTTP status."""
    return [Meaning(type=f"/problems/{code}", title=title, status=status) for code, (status, title) in PROBLEMS.items()]


@router.get("/{code}", summary="What a kind of error means")
def get_problem(code: str) -> Meaning:
    """By the last part of its `type`."""
    if code not in PROBLEMS:
        raise Problem("not-found", "there is no such kind of error")
    status, title = PROBLEMS[code]
    return Meaning(type=f"/problems/{code}", title=title, status=status)
