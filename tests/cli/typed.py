"""`tram …` without a process of its own for each command: a suite that types a hundred of them would wait minutes for
the interpreter. That a process says the same is seen where the commands' tests begin (tests/cli/test_data_commands.py).
"""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from unittest import mock

from tests.databases import Database
from tests.journey.system import environment
from tram import cli


class Becomes(BaseException):
    """The command would be another program from here on: python -m …"""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv


def becomes(_: str, argv: list[str]) -> None:
    raise Becomes(argv)


def typed(*words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command in this process, with this whole environment (None: as it is)."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environ or {}, clear=environ is not None),
        mock.patch.object(os, "execv", becomes),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            code = cli.main(words)
        except Becomes as other:
            code = import_module(other.argv[2]).main(other.argv[3:])
        except SystemExit as end:  # argparse: help, and what it does not understand
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def tram(database: Database, *words: str, expected: int = 0) -> str:
    """What a command says about this database, on both streams."""
    with mock.patch.dict(os.environ, {"TRAM_DATABASE_URL": database.url}):
        done = typed(*words)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


def in_a_process(database: Database, *words: str, expected: int = 0) -> str:
    """The same, as it is really typed."""
    done = subprocess.run(
        [sys.executable, "-m", "tram.cli", *words],
        env=os.environ | {"TRAM_DATABASE_URL": database.url}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


def in_folder(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`typed`, as somebody in this (the current) folder who has set nothing but these."""
    assert Path.cwd() == folder
    return typed(*words, environ=environment(folder, **settings))
