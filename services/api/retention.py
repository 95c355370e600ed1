"""How long data is kept."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS
from tram.store import retention

router = APIRouter(prefix="/api", tags=["retention"], responses=ANSWERS)


class Policy(BaseModel):
    """Days that a level of an ObservedProperty is kept."""

    property: Text = Field(max_length=255, description="its name; empty: all that have no row of their own")
    level: Literal["raw", "1m", "1h", "1d"]
    keep_days: int | None = Field(ge=1, le=100_000, description="null: for ever")


@router.get("/retention", summary="How long data is kept")
def list_policies(permit: Annotated[Permit, allowed("data.policies")], database: Database) -> list[Policy]:
    """The policies. What has none is kept for ever."""
    return [Policy.model_validate(policy, from_attributes=True) for policy in retention.list_policies(database)]


@router.put("/retention", summary="Set how long data is kept")
def set_policy(permit: Annotated[Permit, allowed("data.retain")], database: Database, policy: Policy) -> list[Policy]:
    """Sets one policy; the worker removes what is older within minutes. Answers with all of them."""
    permit.target = f"{policy.property or '*'}/{policy.level}"
    permit.detail = {"keep_days": policy.keep_days}
    retention.put(database, [retention.Policy(policy.property, policy.level, policy.keep_days)])
    return list_policies(permit, database)
