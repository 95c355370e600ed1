"""The live client's message types are those of the hub."""

from deploy import live_types


def test_the_written_types_are_the_hubs() -> None:
    assert live_types.OUT.read_text(encoding="utf-8") == live_types.written(), "run `python -m deploy.live_types`"


def test_every_message_is_there() -> None:
    text = live_types.written()
    for union in ("ClientMessage", "HubMessage"):
        members = text.split(f"export type {union} =")[1].split("\n\n")[0].split("|")[1:]
        for member in members:
            assert f"export interface {member.strip()} {{\n  op: '" in text
