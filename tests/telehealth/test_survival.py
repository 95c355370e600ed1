"""A consult outlives its process: killed and started again, moved to another, and without its database for a while."""

import asyncio
import base64
import signal
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from telehealth.keeping import MIGRATIONS, MemoryKeeper, PostgresKeeper, QualityRow
from telehealth.messages import Role
from telehealth.placement import Placement
from telehealth.tokens import Grant, Taken, parse_keys
from tests.databases import Database, Server
from tests.people import autocommit, token
from tests.servers.consult import consult_server
from tests.telehealth.people import Person, RawSocket, people
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.store.database import open_async_pool
from tram.store.migrate import migrate

Join = Callable[..., Person]


@pytest.fixture
def joins() -> Iterator[Join]:
    with people() as make:
        yield make


def test_a_killed_process_gives_everybody_the_same_consult_back(kept: Database, joins: Join, tmp_path: Path) -> None:
    port = free_port()
    environment = {"TRAM_DATABASE_URL": kept.url, "TRAM_TELEHEALTH_PORT": str(port)}
    with consult_server(tmp_path, environment, ()) as first:
        tokens = first.tokens()
        doctor, station = joins(first.ws, tokens["doctor"]), joins(first.ws, tokens["station"])
        doctor.sees()
        station.talk(type="chat", id="before", text="trước khi mất")
        doctor.waits_for("chat_line", id="before")
        seats = (doctor.participant.seat, station.participant.seat)
        number = doctor.participant._number
        first.kill()
    with consult_server(tmp_path, environment, ()) as second:
        began = time.monotonic()
        until(lambda: doctor.participant.resumes == 1 and station.participant.resumes == 1, "both are back")
        doctor.sees()
        station.sees()
        print("back after", round(time.monotonic() - began, 2), "s of the process being there")
        assert (doctor.participant.seat, station.participant.seat) == seats
        assert doctor.participant._number > number, "a new peer connection"
        assert doctor.participant.room["lead"] == seats[0]
        # What was said before the kill is there, and the used token is still used.
        assert [m["id"] for m in doctor.of("chat_line")].count("before") >= 2
        again = RawSocket(second.ws)
        assert again.hello(token=tokens["station"])["code"] == "token-used"
        again.close()


def test_a_planned_stop_asks_everybody_to_come_back(kept: Database, joins: Join, tmp_path: Path) -> None:
    port = free_port()
    environment = {"TRAM_DATABASE_URL": kept.url, "TRAM_TELEHEALTH_PORT": str(port)}
    with consult_server(tmp_path, environment, ()) as first:
        doctor = joins(first.ws, first.tokens()["doctor"])
        doctor.waits_for("pc", state="connected")
        assert first.stop() in (0, -signal.SIGTERM)  # uvicorn ends by the signal it was sent
        assert doctor.waits_for("bye")["code"] == "draining"
    with consult_server(tmp_path, environment, ()):
        until(lambda: doctor.participant.resumes == 1, "back")


def test_consults_are_spread_over_two_processes(kept: Database, joins: Join, tmp_path: Path) -> None:
    """Whoever comes to the wrong door is shown the right one; when a process is taken out, its consults move."""
    ports = {"a": free_port(), "b": free_port()}
    peers = {name: f"ws://127.0.0.1:{port}/consult" for name, port in ports.items()}

    def environment(name: str, among: dict[str, str]) -> dict[str, str]:
        return {
            "TRAM_DATABASE_URL": kept.url, "TRAM_TELEHEALTH_PORT": str(ports[name]), "TRAM_TELEHEALTH_NAME": name,
            "TRAM_TELEHEALTH_PEERS": ",".join(f"{n}={u}" for n, u in among.items()),
        }  # fmt: skip

    with consult_server(tmp_path, environment("a", peers), ()) as a:
        with consult_server(tmp_path, environment("b", peers), ()) as b:
            consult = next(c for c in (f"spread-{n}" for n in range(50)) if Placement("", peers).home(c) == "b")
            tokens = a.tokens(consult)
            lost = RawSocket(a.ws)
            assert lost.hello(token=tokens["observer"]) == {"type": "redirect", "url": peers["b"]}
            doctor = joins(a.ws, tokens["doctor"])
            station = joins(b.ws, tokens["station"])
            doctor.sees()
            assert doctor.participant.url == peers["b"]
            assert a.metrics()["tram_consults"] == 0
            assert b.metrics()["tram_consults"] == 1
            seat = doctor.participant.seat
        # b is taken out of the list and stopped; a, started anew with itself alone, takes the consult over.
        a.stop()
    with consult_server(tmp_path, environment("a", {"a": peers["a"]}), ()):
        doctor.participant.url = station.participant.url = peers["a"]
        until(lambda: doctor.participant.resumes == 1 and station.participant.resumes == 1, "both moved")
        assert doctor.participant.seat == seat
        doctor.sees()


def test_two_processes_that_both_want_a_consult_are_told_apart(kept: Database, joins: Join, tmp_path: Path) -> None:
    """Lists that differ: the one that took the room over last has it, the other sends its people there."""
    with consult_server(tmp_path, {"TRAM_DATABASE_URL": kept.url}, ()) as one:
        tokens = one.tokens()
        doctor = joins(one.ws, tokens["doctor"])
        doctor.waits_for("room")
        with consult_server(tmp_path, {"TRAM_DATABASE_URL": kept.url}, ()) as two:
            station = RawSocket(two.ws)
            welcome = station.hello(token=tokens["station"])
            assert welcome["type"] == "welcome"
            doctor.participant.url = two.ws
            doctor.send(type="media", microphone=True, camera=True)  # the next write finds out
            assert doctor.waits_for("bye")["code"] == "moved"
            until(lambda: doctor.participant.resumes == 1, "the doctor follows")
            station.close()


def test_a_call_goes_on_without_its_database(joins: Join, server: Server, tmp_path: Path) -> None:
    with server.database("plain") as made:
        with made.connect() as conn:
            migrate(conn, [MIGRATIONS])
        made.close()
        name = str(conninfo_to_dict(made.url)["dbname"])
        environment = {"TRAM_DATABASE_URL": made.url, "TRAM_DATABASE_TIMEOUT": "1"}
        with consult_server(tmp_path, environment, ()) as running:
            tokens = running.tokens()
            doctor, station = joins(running.ws, tokens["doctor"]), joins(running.ws, tokens["station"])
            doctor.sees()
            with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
                station.talk(type="chat", id="1", text="vẫn nghe")
                doctor.waits_for("chat_line", id="1")
                doctor.sees()
                newcomer = RawSocket(running.ws)
                answer = newcomer.hello(token=tokens["specialist"])
                assert (answer["code"], answer["retry"]) == ("unavailable", True)
                admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
                # The token was not used up by the join that failed.
                until(
                    lambda: RawSocket(running.ws).hello(token=tokens["specialist"])["type"] == "welcome", "let in", 30
                )


def row(at: float, facility: str, level: str, **values: float) -> QualityRow:
    return QualityRow(
        at=at, consult="c1", seat="s1", role="station", facility=facility, level=level, reason="loss",
        loss_down=values.get("loss_down"), rtt_ms=values.get("rtt_ms"), kbps_up=300.0, video="on",
    )  # fmt: skip


def test_call_quality_shows_which_stations_have_bad_links(kept: Database) -> None:
    now = time.time()
    rows = [row(now - n, "Trạm Phú Bình", "poor" if n % 2 else "good", loss_down=0.2, rtt_ms=300.0) for n in range(10)]
    rows += [row(now - n, "Trạm Định Hóa", "good", loss_down=0.0, rtt_ms=40.0) for n in range(10)]
    rows += [row(now - 500 * 3600, "Trạm Cũ", "lost")]

    async def run() -> None:
        async with open_async_pool(kept.settings) as pool:
            keeper = PostgresKeeper(pool, quality_days=1)
            await keeper.record(rows)
            stations = await keeper.stations(24, 10)
            mine = [s for s in stations if s["facility"] in ("Trạm Phú Bình", "Trạm Định Hóa", "Trạm Cũ")]
            assert [s["facility"] for s in mine] == ["Trạm Phú Bình", "Trạm Định Hóa"]
            assert mine[0]["bad_share"] == pytest.approx(0.5)
            assert mine[0]["rtt_ms"] == pytest.approx(300.0)
            assert mine[1]["loss"] == 0.0
            assert len(await keeper.consult("c1", 100)) == 21
            await keeper.sweep()
            assert len(await keeper.consult("c1", 100)) == 20
            for keeper_ in (keeper, MemoryKeeper()):
                assert await keeper_.use_token("jti-1", now + 60, now, "word") is Taken.FIRST
                assert await keeper_.use_token("jti-1", now + 60, now, "word") is Taken.AGAIN
                for other in ("other", None):
                    assert await keeper_.use_token("jti-1", now + 60, now, other) is Taken.USED
                assert await keeper_.use_token("jti-2", now + 60, now) is Taken.FIRST
                assert await keeper_.use_token("jti-2", now + 60, now) is Taken.USED
            with autocommit(kept.settings) as conn:
                conn.execute("UPDATE consult_token SET used = used - interval '31 s' WHERE jti = 'jti-1'")
            assert await keeper.use_token("jti-1", now + 60, now, "word") is Taken.USED
            epoch, state = await keeper.claim("k", "one")
            assert state is None
            assert await keeper.save("k", epoch, b"x", None)
            newer, state = await keeper.claim("k", "two")
            assert (newer, state) == (epoch + 1, b"x")
            assert not await keeper.save("k", epoch, b"y", None)

    asyncio.run(run())


def test_quality_is_recorded_and_served(kept: Database, joins: Join, tmp_path: Path) -> None:
    with consult_server(tmp_path, {"TRAM_DATABASE_URL": kept.url}, ()) as running:
        tokens = running.tokens()
        doctor = joins(running.ws, tokens["doctor"])
        joins(running.ws, tokens["station"])
        doctor.sees()
        doctor.send(type="stats", pc=doctor.participant._number, rtt_ms=12.5, loss_in=0.0, freezes=1, freeze_ms=200)
        path = f"/consult/api/quality/consults/{tokens['consult']}"
        with autocommit(kept.settings) as conn:
            program = token(conn)
        records = until(
            lambda: [r for r in running.get(path, program) if r["role"] == "doctor" and r["rtt_ms"] == 12.5],
            "a record",
            20,
        )
        assert records[0]["freezes"] == 1
        assert records[0]["level"] in ("good", "fair", "poor")
        stations = "/consult/api/quality/stations"
        station = until(
            lambda: [s for s in running.get(stations, program) if s["facility"].startswith("Trạm Y tế")],
            "it",
        )
        assert station[0]["records"] >= 1


def test_production_is_strict(tmp_path: Path, kept: Database) -> None:
    environment = {"TRAM_ENVIRONMENT": "production"}
    with pytest.raises(AssertionError, match="database is needed in production"), consult_server(tmp_path, environment):
        pass
    without_keys = {**environment, "TRAM_DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    with (
        pytest.raises(AssertionError, match="TRAM_TELEHEALTH_KEYS is needed"),
        consult_server(tmp_path, without_keys, ()),
    ):
        pass
    key = "k1:" + base64.b64encode(b"k" * 32).decode()
    ready = {**environment, "TRAM_DATABASE_URL": kept.url, "TRAM_TELEHEALTH_KEYS": key}
    with consult_server(tmp_path, ready, ()) as running:
        with pytest.raises(urllib.error.HTTPError) as refused:
            running.tokens()
        assert refused.value.code == 404
        # Genuine in every way, but made for a demo.
        now = time.time()
        demo = Grant(
            kind="join", consult="c", role=Role.DOCTOR, person="p", name="P", issued=now, expires=now + 60,
            jti="0123456789", demo=True,
        )  # fmt: skip
        assert RawSocket(running.ws).hello(token=parse_keys(key).sign(demo))["code"] == "token"
        real = msgspec.structs.replace(demo, demo=False)
        answer = RawSocket(running.ws).hello(token=parse_keys(key).sign(real))
        assert answer["code"] == "forbidden", "nobody whom the identity service does not know"
        with pytest.raises(urllib.error.HTTPError) as refused:
            running.get("/consult/api/quality/stations")
        assert refused.value.code == 401
