"""What lives in a page's heap, by constructor, as Chromium's own snapshots tell it."""

import json
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import CDPSession


class Kind(NamedTuple):
    """Of one constructor, or of one of V8's own sorts."""

    number: int
    size: int
    """Bytes, without what they refer to."""


Living = dict[str, Kind]


def living(tools: CDPSession) -> Living:
    """A snapshot, after a collection."""
    pieces: list[str] = []

    def piece(event: dict[str, str]) -> None:
        pieces.append(event["chunk"])

    tools.on("HeapProfiler.addHeapSnapshotChunk", piece)
    tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    tools.remove_listener("HeapProfiler.addHeapSnapshotChunk", piece)
    return counted(json.loads("".join(pieces)))


def counted(taken: dict[str, Any]) -> Living:
    """The nodes of a snapshot by what made them: objects by constructor, closures together, the rest by V8's sort."""
    meta = taken["snapshot"]["meta"]
    fields, sorts = meta["node_fields"], meta["node_types"][0]
    nodes = np.array(taken["nodes"], np.int64).reshape(-1, len(fields))
    sort, name, size = (nodes[:, fields.index(one)] for one in ("type", "name", "self_size"))
    named = np.isin(sort, [sorts.index("object"), sorts.index("native")])
    keys, which = np.unique(np.where(named, name, -1 - sort), return_inverse=True)
    counts, sizes = np.bincount(which), np.bincount(which, size)
    strings = taken["strings"]
    return {
        strings[key] if key >= 0 else f"({sorts[-1 - key]})": Kind(int(count), int(total))
        for key, count, total in zip(keys.tolist(), counts, sizes, strict=True)
    }


def grown(early: Living, late: Living, most: int = 8) -> str:
    """The constructors that hold more bytes than before, those with most first."""
    none = Kind(0, 0)
    more = {
        name: (kind.size - early.get(name, none).size, kind.number - early.get(name, none).number)
        for name, kind in late.items()
    }
    ordered = sorted(more.items(), key=lambda one: -one[1][0])[:most]
    return ", ".join(
        f"{name[:40]} {size / 1000:+.0f} kB in {number:+,}" for name, (size, number) in ordered if size > 0
    )
