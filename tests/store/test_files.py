"""Files out and in: what goes out comes in again, bad lines are said, an interrupted import goes on."""

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.databases import Database
from tram.errors import PayloadError, SettingsError
from tram.sensing import Location, Thing
from tram.store import export, imports, observations, registry
from tram.store.batch import Batch
from tram.store.database import Connection
from tram.store.imports import Done, Meaning
from tram.store.registry import Key, Resolved

T0 = 1_780_012_800_000_000


def filled(conn: Connection) -> list[int]:
    registry.put(conn, Thing("Trạm, 1", location=Location(105.8, 21.6)))
    keys = [Key("Trạm, 1", "pm10"), Key("y", 'cửa "sổ"')]
    ids = [a.datastream_id for a in registry.resolve(conn, keys, "open").values() if isinstance(a, Resolved)]
    rows = 250
    batch = Batch(
        np.repeat(np.array(ids, np.int32), rows), np.tile(T0 + np.arange(rows) * 1_000_001, 2),
        np.append(np.arange(rows) / 7, [np.nan] * rows), np.array([2] + [0] * (2 * rows - 1), np.int16),
        {rows + k: json.dumps({"mở": k, "t": 'a,"b\n'}).encode() for k in range(rows)},
    )  # fmt: skip
    observations.write(conn, batch)
    conn.commit()
    return ids


def everything(conn: Connection) -> list[Any]:
    return conn.execute(
        "SELECT t.name, p.name, d.unit, o.phenomenon_time, o.result, o.result_json, o.quality FROM observation o "
        "JOIN datastream d ON d.id = o.datastream_id JOIN thing t ON t.id = d.thing_id "
        "JOIN observed_property p ON p.id = d.observed_property_id ORDER BY 1, 2, 4"
    ).fetchall()


def taken(conn: Connection, kind: str, **which: Any) -> bytes:
    data = b"".join(export.stream(conn, export.select(conn, **which), kind))
    conn.commit()
    return data


def test_csv_goes_out_and_comes_in_again(database: Database) -> None:
    conn = database.connect()
    filled(conn)
    before = everything(conn)
    data = taken(conn, "csv")
    assert len(list(csv.reader(io.StringIO(data.decode())))) == 501
    conn.execute("TRUNCATE observation")
    conn.commit()
    said: list[tuple[int, str]] = []
    done = imports.load(conn, io.BytesIO(data), Meaning(), report=lambda *line: said.append(line))
    assert (done.inserted, done.bad, said) == (500, 0, [])
    assert everything(conn) == before
    # Done before: nothing is read again. From the beginning: nothing is stored twice.
    assert imports.load(conn, io.BytesIO(data), Meaning(), report=lambda *line: None).inserted == 0
    again = imports.load(conn, io.BytesIO(data), Meaning(), report=lambda *line: None, again=True)
    assert (again.inserted, again.duplicates) == (0, 500)


def test_parquet_and_geojson(database: Database) -> None:
    conn = database.connect()
    first, second = filled(conn)
    table = pq.read_table(io.BytesIO(taken(conn, "parquet")))
    assert table.num_rows == 500
    rows = table.to_pylist()
    assert rows[1]["thing"] == "Trạm, 1"
    assert rows[1]["result"] == 1 / 7
    assert rows[0]["quality"] == 2
    assert rows[250]["result"] is None
    assert json.loads(rows[251]["value"]) == {"mở": 1, "t": 'a,"b\n'}
    document = json.loads(taken(conn, "geojson", ids=[first, second], end=T0 + 3_000_000))
    here = {"type": "Point", "coordinates": [105.8, 21.6]}
    assert [f["geometry"] for f in document["features"]] == [here] * 3 + [None] * 3
    assert document["features"][4]["properties"]["value"] == {"mở": 1, "t": 'a,"b\n'}
    assert json.loads(taken(conn, "geojson", thing="none")) == {"type": "FeatureCollection", "features": []}
    assert pq.read_table(io.BytesIO(taken(conn, "parquet", start=T0, end=T0))).num_rows == 0
    assert taken(conn, "csv", property="pm10", start=T0 + 1).count(b"\n") == 250
    with pytest.raises(PayloadError):
        taken(conn, "xlsx")


WIDE = """\ufeffGiờ;PM10;Nhiệt độ;Ghi chú
2026-05-01 07:00;10,5;;a
2026-05-01T00:05:00Z;11.5;30;"dòng
hai"
2026-05-01 07:10;x;31;c
không;1;2;d
2026-05-01 07:20;nan;32;e
2026-05-01 07:30;1
2026-05-01 07:40;12;33;g
"""


def test_bad_lines_are_said_and_the_rest_is_loaded(one_database: Database) -> None:
    conn = one_database.connect()
    meaning = Meaning(
        columns={"time": "Giờ"}, constants={"thing": "aq"}, delimiter=";",
        wide={"PM10": ("pm10", "mg/m3"), "Nhiệt độ": ("air_temperature", "Cel")},
    )  # fmt: skip
    said: list[tuple[int, str]] = []
    data = WIDE.encode() + b'2026-05-01 07:50;"\n' + b"9" * (imports.MOST_LINE + 5) + b"\n2026-05-01 07:55;14;;\n"
    done = imports.load(conn, io.BytesIO(data), meaning, report=lambda *line: said.append(line))
    assert [line for line, _ in said[:5]] == [2, 5, 6, 7, 8]
    assert "pm10: 'x' is no number" in said[1][1]
    assert done.bad == len(said)
    found = {(row[1], f"{row[3]:%H:%M}"): row[4] for row in everything(conn)}
    assert found["pm10", "00:05"] == pytest.approx(11_500.0)  # mg/m3 is stored as ug/m3
    assert found["pm10", "00:40"] == pytest.approx(12_000.0)
    assert found["air_temperature", "00:10"] == 31.0
    assert len([key for key in found if key[0] == "air_temperature"]) == 4


def test_an_interrupted_import_goes_on(one_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = one_database.connect()
    monkeypatch.setattr(imports, "LINES", 10)
    lines = [f"2026-05-01T00:00:{k:02}Z,s,pm10,{k}" for k in range(45)]
    data = ("time,thing,property,result\n" + "\n".join(lines)).encode()

    class InterruptedError(Exception): ...

    def stop(done: Done) -> None:
        if done.line > 20:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        imports.load(conn, io.BytesIO(data), Meaning(), report=lambda *line: None, progress=stop)
    assert len(everything(conn)) == 20
    done = imports.load(conn, io.BytesIO(data), Meaning(), report=lambda *line: None)
    assert (done.inserted, done.duplicates, done.line) == (25, 0, 46)
    assert len(everything(conn)) == 45


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (b"", Meaning()), (b"a,b\n1,2\n", Meaning()), (b'time,"thing\n', Meaning()),
        (b"time,thing,property,result\n", Meaning(columns={"time": "Gio"})),
        (b"time,thing\n", Meaning(wide={"x": ("pm10", "")})),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_said(one_database: Database, data: bytes, meaning: Meaning) -> None:
    with pytest.raises(SettingsError):
        imports.load(one_database.connect(), io.BytesIO(data), meaning, report=lambda *line: None)
