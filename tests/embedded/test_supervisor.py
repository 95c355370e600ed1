"""The supervisor over real processes: order, restarts, a clean stop, and nothing left however it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import until
from tram.embedded.guard import MARK

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
# Its child is in a session of its own and deaf to SIGTERM: what a death signal of the kernel's does not reach.
GRANDCHILD = (
    "import subprocess, sys, time\n"
    "deaf = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'\n"
    "subprocess.Popen([sys.executable, '-c', deaf], start_new_session=True)\n"
    "time.sleep(600)"
)


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, home: Path, parts: list[dict[str, Any]]) -> None:
        self.home = home
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py")), str(home), json.dumps(parts)],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TRAM_X_HOME_OF_TEST": str(home)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, text: str, timeout: float = 60.0) -> str:
        """Waits for a line that holds the text."""
        return until(lambda: [x for x in list(self.lines) if text in x], f"says {text!r}", timeout)[0]

    def ends(self, timeout: float = 60.0) -> int:
        """Waits for its end; returns the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def family(self) -> list[psutil.Process]:
        """Everything that came from it and still runs, itself included: they all carry this home in the environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TRAM_X_HOME_OF_TEST") == str(self.home) and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def children(self, name: str) -> list[psutil.Process]:
        """The processes of a part whose code ends with "# name", once they run that code."""
        return [p for p in self.family() if MARK in p.environ() and p.cmdline()[-1].endswith(f"# {name}")]

    def guard(self) -> psutil.Process:
        """Its guard."""
        return next(p for p in self.family() if any(word.endswith("guard.py") for word in p.cmdline()))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Starts supervisors; ends whatever a failing test leaves."""
    runs: list[Run] = []

    def start(*parts: dict[str, Any], home: Path = tmp_path) -> Run:
        runs.append(Run(home, list(parts)))
        return runs[-1]

    yield start
    for run in runs:
        for process in [*run.family(), psutil.Process(run.process.pid)] if run.process.poll() is None else run.family():
            process.kill()
        run.process.wait(60)


def stop(run: Run, number: signal.Signals = signal.SIGTERM) -> int:
    run.process.send_signal(number)
    code = run.ends()
    until(lambda: not run.family(), f"nothing is left of {run.lines}")
    return code


def test_stages_start_in_order_and_stop_in_reverse(start: Any, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    note = (
        "import signal, sys, time, os\n"
        f"def note(word): open({str(diary)!r}, 'a').write(word + ' NAME\\n')\n"
        "signal.signal(signal.SIGTERM, lambda *_: (note('stop'), os._exit(0)))\n"
        "note('start')\n"
        f"open({str(tmp_path)!r} + '/NAME.ready', 'w').close()\n"
        "time.sleep(600)"
    )
    parts = [
        {"name": name, "code": note.replace("NAME", name), "stage": stage, "ready": str(tmp_path / f"{name}.ready")}
        for stage, name in enumerate(["first", "second", "third"])
    ]
    run = start(*parts)
    run.says("READY")
    assert stop(run) == 0
    assert diary.read_text().split("\n")[:-1] == [
        "start first", "start second", "start third", "stop third", "stop second", "stop first",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_ask_stops_all_of_it(start: Any, number: signal.Signals) -> None:
    run = start({"name": "a", "code": SLEEP}, {"name": "b", "code": GRANDCHILD})
    run.says("READY")
    until(lambda: len(run.family()) == 5, "supervisor, guard, two children, one grandchild")
    assert stop(run, number) == 0


def test_a_child_that_crashes_starts_again_and_the_line_says_why(start: Any, tmp_path: Path) -> None:
    marker = tmp_path / "second-time"
    code = (
        f"import os, sys, time\nif os.path.exists({str(marker)!r}): time.sleep(600)\n"
        f"open({str(marker)!r}, 'w').close(); sys.exit('the reason')"
    )
    run = start({"name": "weak", "code": code}, {"name": "other", "code": SLEEP})
    line = run.says("weak ended (exit code 1), starts again in 0.5 s")
    assert "the reason" in line
    run.says("READY")
    assert "the reason" in (tmp_path / "logs" / "weak.log").read_text()
    assert stop(run) == 0


def test_a_child_that_is_killed_after_ready_starts_again(start: Any) -> None:
    run = start({"name": "a", "code": SLEEP + "  # a"})
    run.says("READY")
    first = until(lambda: run.children("a"), "it runs")[0]
    first.kill()
    run.says("a ended (signal 9), starts again")
    until(lambda: run.children("a"), "a new one")
    assert stop(run) == 0


def test_a_part_that_never_comes_up_is_given_up_and_all_stops(start: Any) -> None:
    run = start({"name": "hopeless", "code": "raise SystemExit('no use')"}, {"name": "other", "code": SLEEP})
    assert run.ends() == 1
    assert "no use" in run.says("hopeless ended (exit code 1) and is given up")
    assert len([line for line in run.lines if "starts again" in line]) == 3
    assert run.family() == []


def test_a_setting_that_is_wrong_is_not_tried_again(start: Any) -> None:
    run = start({"name": "wrong", "code": "import sys; print('TRAM_X: no'); sys.exit(2)"})
    assert run.ends() == 1
    assert "TRAM_X: no" in run.says("wrong ended (exit code 2) and is given up")
    assert not any("starts again" in line for line in run.lines)


def test_without_a_part_that_is_not_essential_the_rest_goes_on(start: Any) -> None:
    run = start({"name": "spare", "code": "raise SystemExit(2)", "essential": False}, {"name": "other", "code": SLEEP})
    run.says("spare ended (exit code 2) and is given up")
    run.says("READY")
    assert stop(run) == 0


def test_what_does_its_work_once_is_waited_for_and_left_alone(start: Any, tmp_path: Path) -> None:
    done = tmp_path / "done"
    once = {"name": "once", "code": f"open({str(done)!r}, 'w').close()", "once": True, "stage": 0}
    later = {
        "name": "later",
        "code": f"import os, time; assert os.path.exists({str(done)!r}); time.sleep(600)",
        "stage": 1,
    }
    run = start(once, later)
    run.says("READY")
    assert stop(run) == 0
    assert not any("ended" in line for line in run.lines)


def test_one_that_is_not_ready_in_time_is_killed_and_tried_again(start: Any) -> None:
    run = start({"name": "slow", "code": SLEEP, "ready": "/nonexistent", "patience": 0.3})
    run.says("slow is not ready after 0 s")
    run.says("slow ended (signal 9)")
    assert run.ends() == 1
    assert run.family() == []


def test_one_that_does_not_hear_is_killed_after_its_patience(start: Any) -> None:
    run = start({"name": "deaf", "code": DEAF, "stop": [[signal.SIGTERM, 0.5]]})
    run.says("READY")
    until(lambda: "deaf" in (run.home / "logs" / "deaf.log").read_text(), "it does not hear")
    assert stop(run) == 0


def test_asking_twice_does_not_wait(start: Any) -> None:
    run = start({"name": "deaf", "code": DEAF, "stop": [[signal.SIGTERM, 300.0]]})
    run.says("READY")
    until(lambda: "deaf" in (run.home / "logs" / "deaf.log").read_text(), "it does not hear")
    run.process.send_signal(signal.SIGINT)
    run.says("stopping")
    assert stop(run, signal.SIGINT) == 0


def test_nothing_outlives_a_supervisor_that_is_killed(start: Any) -> None:
    run = start({"name": "a", "code": SLEEP}, {"name": "b", "code": GRANDCHILD})
    run.says("READY")
    until(lambda: len(run.family()) == 5, "supervisor, guard, two children, one grandchild")
    run.process.kill()
    until(lambda: not run.family(), "nothing is left")


def test_its_children_end_even_when_the_guard_is_killed_with_it(start: Any) -> None:
    run = start({"name": "a", "code": SLEEP}, {"name": "b", "code": SLEEP})
    run.says("READY")
    guard = run.guard()
    os.kill(run.process.pid, signal.SIGSTOP)  # so that it cannot start another guard in between
    guard.kill()
    run.process.kill()
    until(lambda: not run.family(), "nothing is left")


def test_a_guard_that_is_killed_is_replaced_by_one_that_knows_as_much(start: Any) -> None:
    run = start({"name": "b", "code": GRANDCHILD})
    run.says("READY")
    until(lambda: len(run.family()) == 4, "supervisor, guard, child, grandchild")
    first = run.guard()
    first.kill()
    until(lambda: any(p.pid != first.pid for p in run.family() if "guard.py" in " ".join(p.cmdline())), "a new guard")
    run.process.kill()
    until(lambda: not run.family(), "nothing is left")


def test_a_second_one_in_the_same_home_is_refused_in_one_line(start: Any) -> None:
    first = start({"name": "a", "code": SLEEP})
    first.says("READY")
    second = start({"name": "a", "code": SLEEP}, home=first.home)
    assert second.ends() == 2
    assert second.lines == [
        f"Trạm already runs here (process {first.process.pid}, home {first.home}): stop that one, or set TRAM_HOME"
    ]
    assert stop(first) == 0


def test_the_next_one_waits_until_nothing_is_left_of_a_killed_one(start: Any) -> None:
    slow = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), exit()))\n"
        "print('on', flush=True)\ntime.sleep(600)"
    )
    # SIGTERM instead of SIGKILL when the supervisor dies, so that the guard has something to wait for.
    first = start({"name": "a", "code": slow, "death_signal": signal.SIGTERM, "stop": [[signal.SIGTERM, 5]]})
    first.says("READY")
    until(lambda: "on" in (first.home / "logs" / "a.log").read_text(), "it hears")
    old = {p.pid for p in first.family()}
    first.process.kill()
    second = start({"name": "a", "code": SLEEP}, home=first.home)
    second.says("READY")
    assert not [p for p in second.family() if p.pid in old]
    assert stop(second) == 0


def test_children_carry_the_mark_of_the_run(start: Any) -> None:
    run = start({"name": "a", "code": SLEEP + "  # a"})
    run.says("READY")
    assert len(until(lambda: run.children("a"), "it runs")[0].environ()[MARK]) == 16
    assert stop(run) == 0
