"""Real browsers over links that lose, narrow and break; compared with the same browsers without a server.

What the call page does on such links is in tests/web/test_consult_reconnect.py.
"""

import time
from collections.abc import Iterator
from statistics import median

import pytest

from tests.telehealth.scene import CannotError, Scene, received, watch, weak_scene
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two browsers and a server for the module."""
    try:
        with weak_scene(tmp_path_factory.mktemp("weak")) as made:
            yield made
    except CannotError as error:
        pytest.skip(str(error))


@pytest.fixture
def scene(both: Scene) -> Iterator[Scene]:
    """The link is good and nobody has joined."""
    yield both
    both.link.up()
    both.link.keep_all()
    both.link.widen()
    both.hang_up()


def test_a_lossy_link_is_repaired(scene: Scene) -> None:
    scene.link.lose(0.05)
    scene.join()
    for page in (scene.doctor, scene.station):
        before = received(page, "video")["frames"]
        until(lambda: received(page, "video")["frames"] > before + 60, "pictures go on")  # noqa: B023
    # How soon five packets in a hundred hit a picture is chance: a slow machine sends few.
    until(
        lambda: (received(scene.doctor, "video")["nacks"] or 0) + (received(scene.station, "video")["nacks"] or 0) > 0,
        "a browser asks for what was lost on the way down",
        60,
    )
    until(
        lambda: sum(s["retransmitted"] or 0 for s in scene.station.evaluate("() => call.stats()")["out"]) > 0,
        "the server asks the station for what was lost on the way up",
        60,
    )


def test_a_cable_out_and_in_again_gives_the_call_back(scene: Scene) -> None:
    scene.join()
    seat = scene.station.evaluate("() => call.seat")
    scene.link.down()
    until(lambda: any(p["presence"] == "away" for p in scene.doctor.evaluate("() => call.room")["people"]), "away")
    scene.link.up()
    began = time.monotonic()
    before = received(scene.doctor, "video").get("frames", 0)
    until(lambda: received(scene.doctor, "video").get("frames", 0) > before + 5, "the picture is back")
    print(f"picture back {time.monotonic() - began:.2f} s after the link")
    assert scene.station.evaluate("() => call.seat") == seat
    until(
        lambda: all(p["presence"] == "present" for p in scene.doctor.evaluate("() => call.room")["people"]),
        "present",
        30,
    )


@pytest.mark.chaos
@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_loss_costs_no_more_than_browser_to_browser(scene: Scene, up: bool) -> None:
    """With 5 % loss: nine tenths of the resolution and rate that the same browsers reach without a server.

    Both at once, so that one machine and one link are meant; three times, as the first second's luck stays for many.
    """
    scene.link.lose(0.05)
    ratios: dict[str, list[float]] = {"kbit/s": [], "lines": [], "frames/s": []}
    for _ in range(3):
        scene.both(up=up)
        reached = watch(scene, ("direct", "call"), up=up, warm=20, seconds=15)
        scene.hang_up()
        print(reached)
        for name, every in ratios.items():
            every.append(reached["call"][name] / reached["direct"][name])
    for name, every in ratios.items():
        assert median(every) >= 0.9, (name, every)


@pytest.mark.chaos
def test_a_narrow_link_freezes_no_longer_than_browser_to_browser(scene: Scene) -> None:
    """At 200 kbit/s: the sound never stops, and the picture freezes no longer than without a server."""
    scene.link.narrow(200)
    scene.direct()
    alone = watch(scene, ("direct",), up=False, warm=15, seconds=30)["direct"]
    scene.hang_up()
    scene.join()
    through = watch(scene, ("call",), up=False, warm=15, seconds=30)["call"]
    print("browser to browser", alone, "\nthrough the server", through)
    assert through["sound packets/s"] > 40, "of fifty a second"
    assert through["sound made up"] < alone["sound made up"] + 0.1
    assert through["frozen s"] <= alone["frozen s"] + 1.0
