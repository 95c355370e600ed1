"""The table `latest`: first and last phenomenonTime of every Datastream, its value then. Kept by tram.store.rollups."""

from collections.abc import Sequence

import numpy as np

from tram.store import sqlfile
from tram.store.batch import concat
from tram.store.committed import Committed, Op
from tram.store.database import Cursor
from tram.store.wire import timestamps


def apply(cursor: Cursor, taken: Sequence[Committed]) -> None:
    """Brings the table up to these batches of the stream."""
    queries = sqlfile.load("rollups")
    ahead: dict[int, int] = dict(cursor.execute(queries["latest_ahead"]).fetchall())
    batches = [one for one in taken if one.op is Op.INSERT]
    if batches:
        batch = concat([one.batch for one in batches])
        rows = np.arange(len(batch))
        if ahead:
            seqs = np.repeat([one.seq for one in batches], [len(one.batch) for one in batches])
            held = np.array([ahead.get(id, -1) for id in batch.datastream_id.tolist()])
            rows = rows[held < seqs]
        rows = rows[np.lexsort((batch.phenomenon_time[rows], batch.datastream_id[rows]))]
        if len(rows):
            ids = batch.datastream_id[rows]
            new = np.ones(len(rows), bool)
            new[1:] = ids[1:] != ids[:-1]
            first = rows[new]
            last = rows[np.append(np.flatnonzero(new)[1:] - 1, len(rows) - 1)]
            json = batch.result_json
            cursor.execute(
                queries["merge_latest"],
                {
                    "ids": batch.datastream_id[last].tolist(),
                    "firsts": timestamps(batch.phenomenon_time[first]),
                    "lasts": timestamps(batch.phenomenon_time[last]),
                    "quality": batch.quality[last].tolist(),
                    "results": batch.result[last].tolist(),
                    "jsons": [json[row].decode() if row in json else None for row in last.tolist()],
                },
            )
    changed = {id for one in taken if one.op is not Op.INSERT for id in set(one.batch.datastream_id.tolist())}
    if changed:
        renew(cursor, sorted(changed))


def renew(cursor: Cursor, ids: Sequence[int]) -> None:
    """Reads these Datastreams anew from `observation`."""
    queries = sqlfile.load("rollups")
    cursor.execute(queries["forget_latest"], (list(ids),))
    row = cursor.execute(queries["renew_latest"], (list(ids),)).fetchone()
    assert row is not None
    marks = {"ids": list(ids), "buckets": ["-infinity"] * len(ids), "seq": row[0] or 0}
    cursor.execute(queries["note_ahead"], marks)
