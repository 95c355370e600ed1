"""The call page's message types are those of the server."""

from deploy import consult_types


def test_the_written_types_are_the_servers() -> None:
    assert consult_types.OUT.read_text() == consult_types.written(), "run `python -m deploy.consult_types`"


def test_every_message_is_there() -> None:
    text = consult_types.written()
    for union in ("ClientMessage", "ServerMessage"):
        members = text.split(f"export type {union} =")[1].split("\n\n")[0].split("|")[1:]
        for member in members:
            assert f"export interface {member.strip()} {{\n  type: '" in text
