"""`tram alarms` as one types it, on a real database with the real alarm process between."""

import json
from datetime import timedelta
from pathlib import Path

from tests.alarms.plant import Plant
from tests.cli.typed import tram
from tests.databases import Database

RULE = """
[[rule]]
id = "level"
vi = "Nước cao"
en = "High water"
scope = { kind = "river" }
escalation = [{ after = "5m", to = "role:city-admin" }]
[[rule.level]]
priority = "high"
vi = "Mức I"
en = "Level I"
when = { type = "threshold", property = "water_level", op = ">=", value = 5.0 }
"""


def test_from_a_rule_to_a_closed_alarm(one_database: Database, tmp_path: Path) -> None:
    plant = Plant(one_database)
    plant.thing("r1", "water_level")
    for hours, value in ((3, 4.0), (2, 6.0), (1, 4.0)):
        plant.write(("r1", "water_level", value), at=plant.clock() - timedelta(hours=hours))
    plant.step()
    file = tmp_path / "rules.toml"
    file.write_text(RULE)
    told = tram(one_database, "alarms", "try", str(file), "--over", "1d")
    assert "1d: 1 lần/times, 1/1 thiết bị/Things (raw, 3 số liệu/readings)" in told
    assert tram(one_database, "alarms", "import", str(file)) == "level\tv1\n"
    assert tram(one_database, "alarms", "import", str(file)) == "level\tv1\n"
    assert "level\tbật/on\tv1\tNước cao / High water" in tram(one_database, "alarms", "rules")
    saved = tmp_path / "saved.jsonl"
    saved.write_text(tram(one_database, "alarms", "export", "level"))
    assert json.loads(saved.read_text())["scope"] == {"kind": "river"}
    assert tram(one_database, "alarms", "import", str(saved)) == "level\tv1\n"
    plant.restart()
    plant.step()
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    (alarm,) = plant.current()
    id = str(alarm.id)
    assert f"{id}\t" in tram(one_database, "alarms", "list")
    assert "acknowledged" in tram(one_database, "alarms", "ack", id, "--comment", "đi xem")
    assert "shelved" in tram(one_database, "alarms", "shelve", id, "30m")
    assert "unacknowledged" in tram(one_database, "alarms", "unshelve", id)
    assert "say in a comment" in tram(one_database, "alarms", "close", id, expected=2)
    assert "normal" in tram(one_database, "alarms", "close", id, "--comment", "cảm biến hỏng")
    shown = tram(one_database, "alarms", "show", id)
    assert "đi xem" in shown
    assert shown.count("\n") == 6
    assert "1 lần/raised" in tram(one_database, "alarms", "statistics")
    assert id in tram(one_database, "alarms", "history")
    tram(one_database, "alarms", "out", "level", "r1", "out-of-service", "--comment", "sửa")
    assert "level\tr1\tout-of-service" in tram(one_database, "alarms", "out")
    tram(one_database, "alarms", "disable", "level")
    assert "tắt/off\tv2" in tram(one_database, "alarms", "rules")
    tram(one_database, "alarms", "delete", "level")
    assert tram(one_database, "alarms", "rules") == ""
    assert tram(one_database, "alarms", "rules", "--versions", "level").count("level\t") == 3


def test_wrong_words_are_said(one_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULE.replace('">="', '"=>"'))
    told = tram(one_database, "alarms", "import", str(file), expected=2)
    assert "rule 1 'level': $.levels[0].when.op" in told
    assert "no length of time" in tram(one_database, "alarms", "statistics", "--over", "soon", expected=2)
    assert "there is no alarm 7" in tram(one_database, "alarms", "ack", "7", expected=2)
    assert "there is no alarm rule" in tram(one_database, "alarms", "disable", "none", expected=2)
