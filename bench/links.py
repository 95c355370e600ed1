"""Weak links: what a call through the server reaches beside the same two browsers without one, over the same link.

    station's Chromium (network namespace: loss, narrow) -> server -> doctor's Chromium
                                                         `-> doctor's Chromium, browser to browser

Both calls run at once, so that both meet the same machine and the same loss; each repetition begins them anew. Read the
ratios: the rates themselves are those of two encoders on one machine.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.telehealth.scene import CannotError, Counts, watch, weak_scene


def run(options: argparse.Namespace) -> None:
    """All repetitions, then the medians."""
    with tempfile.TemporaryDirectory() as home, weak_scene(Path(home)) as scene:
        if options.loss:
            scene.link.lose(options.loss / 100)
        if options.narrow:
            scene.link.narrow(options.narrow)
        every: list[dict[str, Counts]] = []
        for turn in range(options.times):
            calls = ("direct", "call")
            scene.both(up=options.up)
            every.append(
                watch(scene, calls, up=options.up, warm=options.warm, seconds=options.seconds, trace=options.trace)
            )
            scene.hang_up()
            one = every[-1]
            print(f"  {turn + 1}: load {os.getloadavg()[0]:.1f}", flush=True)
            for of in calls:
                print(f"     {of:6} " + ", ".join(f"{k} {v:.1f}" for k, v in one[of].items()), flush=True)
    print("\n| | browser to browser | through the server | ratio |\n|---|---:|---:|---:|")
    for name in every[0]["call"]:
        alone, through = (median(one[of][name] for one in every) for of in ("direct", "call"))
        ratios = [one["call"][name] / one["direct"][name] for one in every if one["direct"][name]]
        ratio = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "-"
        print(f"| {name} | {alone:.1f} | {through:.1f} | {ratio} |")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.links", description=__doc__.split("\n\n")[0])
    parser.add_argument("--loss", type=float, default=0.0, help="per cent of packets in either direction")
    parser.add_argument("--narrow", type=int, default=0, help="kbit/s in either direction, shared by both calls")
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
