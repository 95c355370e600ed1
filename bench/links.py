"""Weak links: what a call through the server reaches beside the same two browsers without one, over the same link.

    station's Chromium (network namespace: loss, narrow) -> server -> doctor's Chromium
                                                         `-> doctor's Chromium, browser to browser

With loss both calls run at once, so that both meet the same machine and the same loss; a narrow link carries one after
the other, as they would share it. Each repetition begins them anew. Read the ratios: the rates themselves are those of
two encoders on one machine.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.telehealth.scene import CannotError, Counts, Scene, watch, weak_scene

LOSSY = {"kbit/s": "0.90", "lines": "0.90"}
NARROW = {"frozen s": "no longer", "sound packets/s": "50: never stops"}
"""What the issue asks for, by what is measured."""


def begin(scene: Scene, calls: list[str], *, up: bool) -> None:
    """The calls of that name; the station alone sends (`up`), or the doctor alone."""
    if "direct" in calls:
        scene.direct(doctor=not up, station=up)
    if "call" in calls:
        scene.join(doctor={"send": not up}, station={"send": up})


def run(options: argparse.Namespace) -> None:
    """All repetitions, then the medians."""
    with tempfile.TemporaryDirectory() as home, weak_scene(Path(home)) as scene:
        if options.loss:
            scene.link.lose(options.loss / 100)
        if options.narrow:
            scene.link.narrow(options.narrow)
        every: list[dict[str, Counts]] = []
        calls = ("direct", "call")
        for turn in range(options.times):
            one: dict[str, Counts] = {}
            for together in [[of] for of in calls] if options.narrow else [list(calls)]:
                begin(scene, together, up=options.up)
                one |= watch(
                    scene, together, up=options.up, warm=options.warm, seconds=options.seconds, trace=options.trace
                )
                scene.hang_up()
            every.append(one)
            print(f"  {turn + 1}: load {os.getloadavg()[0]:.1f}", flush=True)
            for of in calls:
                print(f"     {of:6} " + ", ".join(f"{k} {v:.1f}" for k, v in one[of].items()), flush=True)
    print(
        "\n| | browser to browser | through the server | ratio: median (range) | asked for |\n|---|---:|---:|---:|---|"
    )
    for name in every[0]["call"]:
        alone, through = (median(one[of][name] for one in every) for of in ("direct", "call"))
        ratios = [one["call"][name] / one["direct"][name] for one in every if one["direct"][name]]
        ratio = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "-"
        asked = (NARROW if options.narrow else LOSSY if options.loss else {}).get(name, "")
        print(f"| {name} | {alone:.1f} | {through:.1f} | {ratio} | {asked} |")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.links", description=__doc__.split("\n\n")[0])
    parser.add_argument("--loss", type=float, default=0.0, help="per cent of packets in either direction")
    parser.add_argument("--narrow", type=int, default=0, help="kbit/s in either direction")
    parser.add_argument("--down", dest="up", action="store_false", help="the doctor sends, the station looks")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--warm", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--trace", action="store_true")
    try:
        run(parser.parse_args())
    except CannotError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
