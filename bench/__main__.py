"""All benchmarks one after the other: `python -m bench`, or some by name: `python -m bench ingest store_write`.

Each is a module of this folder with a `main()`; `python -m bench.ingest --help` has its options.
"""

import importlib
import sys
from pathlib import Path

HELPERS = {
    "ingest_stage",
    "live_million",
    "live_stage",
    "live_together",
    "live_viewers",
    "load",
    "sfu_peers",
    "sfu_server",
    "store_ingest",
    "web_stage",
}


def main() -> None:
    here = Path(__file__).parent
    found = sorted(p.stem for p in here.glob("*.py") if not p.stem.startswith("_") and p.stem not in HELPERS)
    wanted = sys.argv[1:] or found
    if unknown := set(wanted) - set(found):
        raise SystemExit(f"bench: no benchmark {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    for name in wanted:
        print(f"\n## {name}\n", flush=True)
        sys.argv = [name]
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
