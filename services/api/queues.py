"""`/api/queues`: what waits where, and what takes room in the database."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Shared
from services.errors import ANSWERS

router = APIRouter(prefix="/api", tags=["status"], responses=ANSWERS)


class ReaderOut(BaseModel):
    """A follower of the committed stream."""

    name: str
    batches: int = Field(description="stored, not read by it yet")
    seconds: float = Field(description="since the oldest of them was stored")


class TableOut(BaseModel):
    """A table with its indices and chunks."""

    name: str
    size: int = Field(description="bytes")


class QueuesOut(BaseModel):
    """What waits, and the largest tables. At most a few seconds old, the tables a minute."""

    readers: list[ReaderOut]
    pending_messages: int = Field(description="held for Things that wait to be accepted")
    redecoding: int = Field(description="dead letters that wait to be read once more")
    watched: int = Field(description="devices whose messages somebody looks at")
    tables: list[TableOut]


@router.get("/queues", summary="What waits where, and what takes room")
def queues(permit: Annotated[Permit, allowed("system.read")], shared: Shared) -> QueuesOut:
    """How far rollups, alarms, the live hub and the others are behind what is stored."""
    found = shared.overview.queues()
    return QueuesOut(
        readers=[ReaderOut(name=name, batches=n, seconds=round(max(0.0, age), 1)) for name, n, age in found.readers],
        pending_messages=found.pending_messages, redecoding=found.redecoding, watched=found.watched,
        tables=[TableOut(name=name, size=size) for name, size in shared.overview.tables()],
    )  # fmt: skip
