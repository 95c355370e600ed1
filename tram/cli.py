"""`tram …`: the commands. It imports no plane: a plane's process is started by `python -m`.

A command is a module of tram/commands with
    HELP: one line for `tram --help`;
    OPERATION: the rule it is under (tram.identity.operations); or OPERATIONS: sub-command -> rule;
    DESCRIPTION: optional, what `tram <command> --help` says beside the arguments;
    PASSES_ON: optional; True hands it everything after its name as `args.rest`, unread;
    arguments(parser): declares its arguments;
    run(args, settings) -> int: does it; returns the exit code.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import time
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

import tram
import tram.commands
from tram.commands._identity import NotAllowedError, whoever
from tram.errors import TramError
from tram.identity import decide
from tram.settings import Settings, load

PERMANENT_EXIT = 2  # wrong input or setting: trying again cannot help
TEMPORARY_EXIT = 1


class Command(Protocol):
    """What a module of tram/commands offers."""

    HELP: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's arguments."""

    def run(self, args: argparse.Namespace, settings: Settings) -> int:
        """Does it; returns the exit code."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Prints the line and exits with 2."""
        line = " ".join(message.split())
        self.exit(PERMANENT_EXIT, f"{self.prog.split()[0]}: {line} (see `{self.prog} --help`)\n")


def names() -> list[str]:
    """The commands there are."""
    return sorted(info.name for info in pkgutil.iter_modules(tram.commands.__path__) if not info.name.startswith("_"))


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `tram` command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    known = names()
    parser = Parser(
        prog="tram", description="Trạm: an open Intelligent Operations Centre for a province.", allow_abbrev=False,
        epilog="Settings come from the environment (TRAM_…) and tram.toml; `tram doctor --settings` lists them.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"tram {tram.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="command", parser_class=Parser)
    # Only the command that is asked for is imported, all of them only to list them.
    chosen = next((word for word in words if word in known), None)
    loaded = {name: _load(name) for name in ([chosen] if chosen else known)}
    for name, command in loaded.items():
        described = getattr(command, "DESCRIPTION", None) or command.HELP
        passes_on = getattr(command, "PASSES_ON", False)
        sub = commands.add_parser(
            name, help=command.HELP, description=described, add_help=not passes_on, allow_abbrev=False
        )
        command.arguments(sub)
    if chosen and words[0] == chosen and getattr(loaded[chosen], "PASSES_ON", False):
        args = argparse.Namespace(command=chosen, rest=words[1:])
    else:
        args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        _check(loaded[args.command], args)
        code = loaded[args.command].run(args, load(os.environ))
        sys.stdout.flush()  # a reader that went away is noticed here, not while the interpreter ends
        return code
    except TramError as error:
        for line in str(error).splitlines():
            print(f"tram: {line}", file=sys.stderr)
        return PERMANENT_EXIT if error.permanent else TEMPORARY_EXIT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `tram … | head`: what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def operations(command: Command) -> dict[str, str]:
    """Sub-command -> the operation it names; "" stands for the command itself."""
    many = getattr(command, "OPERATIONS", None)
    return dict(many) if many else {"": getattr(command, "OPERATION", "")}


def _check(command: Command, args: argparse.Namespace) -> None:
    """Whoever may run programs as the system's owner is the server's own hand; nobody else gets this far."""
    found = operations(command)
    operation = found.get("") or found.get(getattr(args, "what", ""), "")
    decision = decide(whoever(), operation, None, now=time.time())
    if not decision.allowed:
        raise NotAllowedError(decision.why)


def _load(name: str) -> Command:
    return cast(Command, importlib.import_module(f"tram.commands.{name}"))


if __name__ == "__main__":
    sys.exit(main())
