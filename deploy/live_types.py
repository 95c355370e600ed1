"""Write web/live/messages.ts: the live protocol's messages as TypeScript, from the Python types of the hub.

Usage: python -m deploy.live_types [--check]     --check: exit 1 when the file is not what would be written
"""

import sys
from pathlib import Path

from deploy.consult_types import Writer
from services.live import messages

OUT = Path(__file__).resolve().parent.parent / "web" / "live" / "messages.ts"
HEAD = """\
/** The live protocol's messages (docs/live-protocol.md). Generated from services/live/messages.py and
 *  tram/alarms/model.py by `python -m deploy.live_types`; a test fails when the two differ. Do not edit. */
"""
UNIONS = {"ClientMessage": messages.ClientMessage, "HubMessage": messages.HubMessage}


def written() -> str:
    """The whole file."""
    writer = Writer()
    unions = {name: writer.type(union) for name, union in UNIONS.items()}
    text = [HEAD, f"export const VERSION = {messages.VERSION}\n"]
    closes = "".join(f"  {one.name}: {int(one)},\n" for one in messages.Close)
    text.append("/** Why the hub closes a socket. */\nexport const CLOSE = {\n" + closes + "} as const\n")
    text += [f"{one}\n" for one in writer.done.values() if one]
    for name, union in unions.items():
        text.append(f"export type {name} =\n  | " + "\n  | ".join(union.split(" | ")) + "\n")
    return "\n".join(text)


def main() -> int:
    text = written()
    if "--check" not in sys.argv[1:]:
        OUT.write_text(text, encoding="utf-8")
        return 0
    if OUT.is_file() and OUT.read_text(encoding="utf-8") == text:
        return 0
    print(f"{OUT.name} is not what the Python types say: run `python -m deploy.live_types`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
