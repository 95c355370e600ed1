"""Dashboards in a real database: versions, clashes, what is kept."""

from typing import Any

import pytest

from tests.databases import Database
from tram.dashboards import definition as definitions
from tram.dashboards.definition import Definition
from tram.errors import ConflictError, NotFoundError
from tram.store import dashboards


def board(name: str, *streams: str) -> Definition:
    item: dict[str, Any] = {"id": "a", "panel": "value", "x": 0, "y": 0, "w": 3, "h": 3,
                            "settings": {"streams": list(streams)}}  # fmt: skip
    return definitions.read({"labels": {"vi": name}, "panels": [item]})


def test_the_built_in_ones_are_there_once(one_database: Database) -> None:
    with one_database.connect() as conn:
        assert dashboards.seed(conn) == len(dashboards.built_in()) > 0
        first = dashboards.get(conn, "hom-nay")
        assert (first.owner, first.shared, first.things) == (dashboards.SYSTEM, True, ["river-gia-bay"])
        dashboards.delete(conn, "hom-nay", expected=1)
        assert dashboards.seed(conn) == 0, "what somebody deleted does not come back"


def test_every_save_is_a_version_and_an_old_one_loses_nothing(one_database: Database) -> None:
    with one_database.connect() as conn:
        made = dashboards.add(conn, board("một"), "p:1")
        second = dashboards.put(conn, made.id, board("hai", "pm2_5@aq-01"), "p:1", expected=1)
        assert (second.version, second.things) == (2, ["aq-01"])
        with pytest.raises(ConflictError, match=r"saved version 2 at .* yours began from 1 and was not stored"):
            dashboards.put(conn, made.id, board("ba"), "p:2", expected=1)
        same = dashboards.put(conn, made.id, second.definition, "p:2", expected=2, shared=True)
        assert (same.version, same.by, same.shared) == (2, "p:1", True), "the same once more is no version"
        assert [v.version for v in dashboards.versions(conn, made.id)] == [2, 1]
        dashboards.delete(conn, made.id, expected=2)
        with pytest.raises(NotFoundError):
            dashboards.get(conn, made.id)
        assert dashboards.list_dashboards(conn, "p:1") == []
        with pytest.raises(NotFoundError):
            dashboards.delete(conn, made.id, expected=2)
        old = dashboards.version(conn, made.id, 2)
        back = dashboards.put(conn, made.id, old.definition, "p:1", expected=2)
        assert (back.version, back.deleted, back.definition) == (3, None, second.definition)
        with pytest.raises(NotFoundError, match="no version 9"):
            dashboards.version(conn, made.id, 9)


def test_what_is_kept_is_bounded(one_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboards, "MOST_VERSIONS", 3)
    monkeypatch.setattr(dashboards, "MOST_OWN", 4)
    with one_database.connect() as conn:
        made = [dashboards.add(conn, board(str(n)), "p:7") for n in range(4)]
        for n in range(5):
            dashboards.put(conn, made[0].id, board(f"bản {n}"), "p:7", expected=n + 1)
        assert [v.version for v in dashboards.versions(conn, made[0].id)] == [6, 5, 4]
        with pytest.raises(ConflictError, match="delete one first"):
            dashboards.add(conn, board("năm"), "p:7")
        dashboards.add(conn, board("người khác"), "p:8")
        dashboards.delete(conn, made[1].id, expected=1)
        dashboards.add(conn, board("năm"), "p:7")  # the deleted one makes room
        with pytest.raises(NotFoundError):
            dashboards.get(conn, made[1].id, deleted=True)


def test_lists_have_ones_own_and_shared_ones(one_database: Database) -> None:
    with one_database.connect() as conn:
        mine = dashboards.add(conn, board("của tôi"), "p:1")
        theirs = dashboards.add(conn, board("của người khác"), "p:2")
        shared = dashboards.add(conn, board("chung"), "p:2", shared=True)
        assert {one.id for one in dashboards.list_dashboards(conn, "p:1")} == {mine.id, shared.id}
        everything = dashboards.list_dashboards(conn, "", everything=True)
        assert {one.id for one in everything} == {mine.id, theirs.id, shared.id}
        first = dashboards.list_dashboards(conn, "p:1", limit=1)
        assert dashboards.list_dashboards(conn, "p:1", after=first[0].id)[0].id > first[0].id
