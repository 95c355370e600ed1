"""The commands about data, as one types them, on a real database."""

from pathlib import Path

from tests.cli.typed import in_a_process, tram
from tests.databases import Database, Server
from tram.store import audit

CSV = "time,thing,property,result\n2026-05-01T00:00:00Z,x,pm10,1.5\nnever,x,pm10,2\n2026-05-01T00:01:00Z,x,pm10,3\n"


def test_in_and_out_and_kept(one_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(CSV)
    told = in_a_process(one_database, "import", str(file), expected=1)
    assert "line 3: 'never' is no time" in told
    assert "2 new, 0 were there already, 1 bad" in told
    assert (tmp_path / "in.csv.rejected.csv").read_text().startswith("3,")
    assert "0 new, 0 were there already, 0 bad" in tram(one_database, "import", str(file))
    out = tmp_path / "out.csv"
    assert "1 Datastreams" in tram(one_database, "export", str(out), "--thing", "x")
    assert out.read_text().count("pm10") == 2
    tram(one_database, "retention", "--set", "*", "raw", "30")
    told = tram(one_database, "retention", "--dry-run")
    assert "pm10\traw\t2 rows" in told
    assert tram(one_database, "retention") == in_a_process(one_database, "retention") == "*\traw\t30\n"
    assert "1 Datastreams" in tram(one_database, "rollups", "rebuild")
    assert "93 areas" in tram(one_database, "areas", "seed")
    assert "sơ đồ" in tram(one_database, "areas", "list")
    backup = str(tmp_path / "backup")
    assert "every checksum holds" in tram(one_database, "backup", backup)
    assert "not empty" in tram(one_database, "restore", backup, expected=2)
    with one_database.connect() as conn:
        rows = conn.execute("SELECT target, operation, origin, outcome, detail FROM audit ORDER BY seq").fetchall()
        assert audit.verify(conn, []) == []
    assert [row[0] for row in rows] == [
        "import in.csv", "import in.csv", "import in.csv", "import in.csv", "export out.csv", "retention *",
        "rollups rebuild", "areas seed", "backup backup",
    ]  # fmt: skip
    assert {row[1:4] for row in rows} == {("server.data", "cli", "allowed"), ("server.areas", "cli", "allowed")}
    assert rows[1][4] == {"phase": "done", "inserted": 2, "duplicates": 0, "bad": 1}
    assert rows[4][4] == {"thing": "x", "bytes": out.stat().st_size}
    assert rows[5][4] == {"level": "raw", "days": 30}


def test_a_restore_goes_on_with_the_audit_that_it_brought(
    one_database: Database, server: Server, tmp_path: Path
) -> None:
    tram(one_database, "retention", "--set", "*", "raw", "30")
    tram(one_database, "backup", str(tmp_path / "b"))
    name = server.create()
    try:
        other = Database(one_database.edition, server.url(name), server.postgres)
        tram(other, "restore", str(tmp_path / "b"))
        with other.connect() as conn:
            targets = [row[0] for row in conn.execute("SELECT target FROM audit ORDER BY seq")]
            assert audit.verify(conn, []) == []
    finally:
        server.drop(name)
    assert targets == ["retention *", "backup b", "restore b"]


def test_wrong_words_are_said(one_database: Database, tmp_path: Path) -> None:
    assert "ends in none of" in tram(one_database, "export", "x.doc", expected=2)
    assert "cannot be read" in tram(one_database, "import", str(tmp_path / "none.csv"), expected=2)
    assert "should be like" in tram(one_database, "import", "x.csv", "--mapping", "when=Time", expected=2)
    assert "neither a number" in tram(one_database, "retention", "--set", "*", "raw", "x", expected=2)
