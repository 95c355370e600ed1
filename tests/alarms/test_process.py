"""The alarm process on a real database, a step at a time."""

from datetime import timedelta

import numpy as np
import pytest

from tests.alarms.plant import Plant, threshold
from tram.alarms import lifecycle
from tram.alarms.model import State
from tram.alarms.rules import read
from tram.store import alarm_actions, alarm_history, alarm_rules, alarm_trial, alarms, areas, observations
from tram.store.alarm_history import Wanted
from tram.store.committed import Reader


def test_levels_rise_fall_and_return(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0, 8.0))
    plant.step()
    for value in (4.0, 5.5, 8.5, 7.8, 7.0, 4.7, 4.0):
        plant.write(("r1", "water_level", value))
        plant.step()
    assert plant.told() == [
        ("r1", "raised", 1, "unacknowledged"), ("r1", "upgraded", 2, "unacknowledged"),
        ("r1", "downgraded", 1, "unacknowledged"), ("r1", "returned", 0, "returned-unacknowledged"),
    ]  # fmt: skip
    (alarm,) = plant.current()
    assert (alarm.peak, alarm.priority.word, alarm.vi) == (2, "low", "Trạm r1: Nước, Mức 1 (7 m)")
    assert alarm.datastreams == (plant.ids["r1", "water_level"],)


def test_a_restart_anywhere_says_nothing_twice_and_misses_nothing(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.step()
    for value in (6.0, 4.0, 7.0, 7.5, 3.0, 9.0):
        plant.write(("r1", "water_level", value))
        plant.restart()
        plant.step()
    kinds = [kind for _, kind, _, _ in plant.told()]
    assert kinds == ["raised", "returned", "raised", "returned", "raised"]


def test_what_came_while_nobody_judged_is_told_in_order(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.step()
    for value in (6.0, 4.0, 7.0):
        plant.write(("r1", "water_level", value))
    plant.restart()
    plant.step()
    assert [kind for _, kind, _, _ in plant.told()] == ["raised", "returned", "raised"]


def test_a_rolled_back_step_comes_again(one_plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    one_plant.thing("r1", "water_level")
    one_plant.rule(threshold("level", 5.0))
    one_plant.step()
    one_plant.write(("r1", "water_level", 6.0))
    tell = alarm_rules.tell

    def fail(*_: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(alarm_rules, "tell", fail)
    with pytest.raises(RuntimeError):
        one_plant.process.step(one_plant.work)
    assert one_plant.told() == []
    monkeypatch.setattr(alarm_rules, "tell", tell)
    one_plant.step()
    assert [kind for _, kind, _, _ in one_plant.told()] == ["raised"]


def test_late_data_raises_no_stale_alarm(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.step()
    for ago, value in ((7200, 9.0), (7100, 9.5), (3600, 4.0)):
        plant.write(("r1", "water_level", value), ago=ago)
        plant.step()
    assert plant.told() == []
    plant.write(("r1", "water_level", 9.0), ago=3000)
    plant.step()
    assert plant.told() == []
    plant.write(("r1", "water_level", 9.1))  # it still holds, and now it is fresh
    plant.step()
    (change,) = plant.changes()
    assert plant.clock() - change.alarm.since > timedelta(minutes=45)
    plant.write(("r1", "water_level", 1.0), ago=60)  # older than what was judged: it is history
    plant.step()
    assert len(plant.changes()) == 1


def test_faults_stand_on_the_rule_and_the_rest_go_on(plant: Plant) -> None:
    plant.thing("r1", "water_level", "pm2_5")
    ratio = {"type": "compare", "left": {"property": "water_level"}, "right": {"property": "pm2_5"}, "by": "ratio",
             "op": ">", "value": 2.0}  # fmt: skip
    plant.rule({"id": "ratio", "vi": "x", "en": "x", "scope": {"kind": "river"},
                "levels": [{"priority": "low", "when": ratio}]})  # fmt: skip
    plant.rule(threshold("gone", 1.0, scope={"thing": "no-such"}))
    plant.rule(threshold("level", 5.0))
    still = {"type": "no-data", "property": "water_level", "after": "1d"}
    clean = {"type": "threshold", "property": "pm2_5", "op": "<=", "value": 0}
    plant.rule({"id": "clean", "vi": "Bụi", "en": "Dust", "scope": {"kind": "river"},
                "levels": [{"priority": "low", "when": {"type": "any", "of": [still, clean]}}]})  # fmt: skip
    plant.step()
    plant.write(("r1", "water_level", 6.0), ("r1", "pm2_5", 0.0))
    plant.step()
    plant.conn.commit()
    faults = {rule.id: [tuple(f) for f in rule.faults] for rule in alarm_rules.list_rules(plant.conn)}
    assert faults == {
        "ratio": [("$.levels[0].when.right", "division by zero: the condition stays as it was")],
        "gone": [("$.scope.thing", "there is no Thing 'no-such'")], "level": [],
        "clean": [],
    }  # fmt: skip
    told = {c.alarm.rule: (c.kind.value, c.alarm.vi) for c in plant.changes()}
    assert told == {
        "level": ("raised", "Trạm r1: Nước, Mức 1 (6 m)"), "clean": ("raised", "Trạm r1: Bụi (0 µg/m³)"),
    }  # fmt: skip


def test_a_datastream_that_is_deleted_faults_its_rule_alone(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.thing("r2", "water_level")
    plant.rule(threshold("one", 5.0, scope={"thing": "r1"}))
    plant.rule(threshold("two", 5.0, scope={"thing": "r2"}))
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    assert [a.rule for a in plant.current()] == ["one"]
    id = plant.ids["r1", "water_level"]
    plant.conn.execute("DELETE FROM observation WHERE datastream_id = %s", (id,))
    plant.conn.execute("DELETE FROM datastream WHERE id = %s", (id,))
    plant.conn.commit()
    plant.process.notified(alarm_rules.CHANNEL)
    plant.write(("r2", "water_level", 6.0))
    plant.step()
    assert [(a.rule, a.thing) for a in plant.current()] == [("two", "r2")]
    faults = {rule.id: len(rule.faults) for rule in alarm_rules.list_rules(plant.conn)}
    assert faults["one"] > 0
    assert faults["two"] == 0


def test_switching_a_rule_off_closes_its_alarms(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    plant.rule(threshold("level", 5.0, enabled=False))
    plant.step()
    assert [(kind, state) for _, kind, _, state in plant.told()][-1] == ("closed", "normal")
    plant.rule(threshold("level", 5.0))
    plant.step()
    assert [kind for _, kind, _, _ in plant.told()] == ["raised", "closed", "raised"]  # by the latest value


def test_a_changed_rule_takes_its_alarm_over(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    plant.rule(threshold("level", 5.0, 5.5))
    plant.step()
    assert [kind for _, kind, _, _ in plant.told()] == ["raised", "upgraded"]
    plant.rule(threshold("level", 7.0))
    plant.step()
    assert [kind for _, kind, _, _ in plant.told()] == ["raised", "upgraded", "returned"]


def test_a_thing_never_seen_before_is_judged_from_its_first_value(plant: Plant) -> None:
    plant.rule(threshold("level", 5.0))
    plant.step()
    plant.thing("new", "water_level")
    plant.write(("new", "water_level", 6.0))
    plant.step()
    assert [(a.thing, a.level) for a in plant.current()] == [("new", 1)]


def test_escalation_and_shelf_run_by_the_clock(plant: Plant) -> None:
    plant.now = plant.clock()
    plant.restart()
    plant.thing("r1", "water_level")
    steps = [{"after": "5m", "to": "role:city-admin"}, {"after": "15m", "to": "Ban Chỉ huy"}]
    plant.rule(threshold("level", 5.0, escalation=steps))
    plant.write(("r1", "water_level", 6.0), at=plant.now)
    plant.step()
    for minutes, told in ((4, 0), (1, 1), (9, 1), (1, 2), (60, 2)):
        plant.now += timedelta(minutes=minutes)
        plant.step()
        found = [c for c in plant.changes() if c.kind.value == "escalated"]
        assert len(found) == told, minutes
    assert [c.detail for c in found] == [{"to": "role:city-admin", "step": 1}, {"to": "Ban Chỉ huy", "step": 2}]
    (alarm,) = plant.current()
    change = lifecycle.shelve(alarm, plant.now + timedelta(hours=1), "p:7", plant.now, "being repaired")
    assert change is not None
    alarms.write(plant.conn, [change])
    plant.conn.commit()
    plant.now += timedelta(minutes=59)
    plant.step()
    assert plant.current()[0].state is State.SHELVED
    plant.now += timedelta(minutes=1)
    plant.step()
    assert [(c.kind.value, c.alarm.state.value) for c in plant.changes()][-1] == ("unshelved", "unacknowledged")


def test_silence_is_told_by_the_clock_alone(plant: Plant) -> None:
    plant.now = plant.clock()
    plant.restart()
    plant.thing("r1", "water_level")
    plant.rule({"id": "silent", "vi": "x", "en": "x", "scope": {"kind": "river"},
                "levels": [{"priority": "low", "when": {"type": "no-data", "after": "10m"}}]})  # fmt: skip
    plant.write(("r1", "water_level", 6.0), at=plant.now)
    plant.step()
    plant.now += timedelta(minutes=9, seconds=59)
    plant.step()
    assert plant.told() == []
    plant.now += timedelta(seconds=2)
    plant.step()
    (alarm,) = plant.current()
    assert alarm.value is None
    assert [kind for _, kind, _, _ in plant.told()] == ["raised"]


def test_a_storm_is_one_entry(plant: Plant) -> None:
    names = [f"r{n}" for n in range(40)]
    for name in names:
        plant.thing(name, "water_level")
    plant.rule(threshold("level", 5.0, 8.0, storm={"count": 10, "within": "60s"}))
    plant.step()
    for name in names[:30]:
        plant.write((name, "water_level", 6.0))
    plant.step()
    entries = [a for a in plant.current() if a.storm is None]
    assert [(a.kind, a.members, a.vi) for a in entries] == [("storm", 30, "Nước: 30 cảnh báo cùng lúc")]
    plant.restart()  # the storm is under way still
    for name in names[30:]:
        plant.write((name, "water_level", 9.0))
    plant.step()
    entries = [a for a in plant.current() if a.storm is None]
    assert [(a.kind, a.members, a.priority.word) for a in entries] == [("storm", 40, "medium")]
    for name in names:
        plant.write((name, "water_level", 1.0))
    plant.step()
    entry = next(a for a in plant.current() if a.kind == "storm")
    assert (entry.state, entry.active) == (State.RETURNED, False)
    for alarm in plant.current():
        if alarm.kind == "alarm":
            change = lifecycle.acknowledge(alarm, "p:7", plant.clock())
            assert change is not None
            alarms.write(plant.conn, [change])
    plant.conn.commit()
    assert [a.kind for a in plant.current()] == ["storm"]


@pytest.mark.parametrize("separate", [True, False])
def test_a_moving_thing_crosses_a_fence(plant: Plant, separate: bool) -> None:
    ring = [[105.0, 21.0], [106.0, 21.0], [106.0, 22.0], [105.0, 22.0], [105.0, 21.0]]
    box = {"type": "Polygon", "coordinates": [ring]}
    properties = ("longitude", "latitude") if separate else ("location",)
    plant.thing("truck", *properties, kind="vehicle")
    rule = {"id": "fence", "vi": "x", "en": "x", "scope": {"kind": "vehicle"}}
    for on in ("enter", "leave", "inside"):
        when = {"type": "geofence", "on": on, "polygon": box}
        plant.rule(rule | {"id": on, "levels": [{"priority": "low", "when": when}]})
    plant.step()
    for lon in (105.5, 104.5, 105.6, 105.7):
        if separate:
            plant.write(("truck", "longitude", lon), ("truck", "latitude", 21.5))
        else:
            plant.point("truck", lon, 21.5)
        plant.step()
    assert sorted((c.alarm.rule, c.kind.value) for c in plant.changes()) == [
        ("enter", "raised"), ("inside", "raised"), ("inside", "raised"), ("inside", "returned"), ("leave", "raised"),
        ("leave", "returned"),
    ]  # fmt: skip


def test_who_fell_behind_begins_with_the_latest_values(one_plant: Plant) -> None:
    plant = one_plant
    plant.thing("r1", "water_level")
    plant.thing("r2", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    plant.write(("r1", "water_level", 1.0), ("r2", "water_level", 7.0))
    plant.conn.execute("UPDATE committed_ring SET trimmed = (SELECT max(seq) FROM committed)")
    plant.conn.execute("TRUNCATE committed")
    plant.conn.commit()
    plant.restart()
    plant.step()
    assert [(t, k) for t, k, _, _ in plant.told()] == [("r1", "raised"), ("r1", "returned"), ("r2", "raised")]
    assert Reader("alarms").lag(plant.conn)[0] == 0


def test_a_correction_of_the_newest_value_is_judged(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.write(("r1", "water_level", 60.0))
    plant.step()
    reader = Reader("test")
    reader.start(plant.conn, from_oldest=True)
    (one,) = reader.take(plant.conn)
    corrected = one.batch.take(np.arange(len(one.batch)))
    corrected.result[:] = 4.0
    observations.correct(plant.conn, corrected)
    plant.conn.commit()
    plant.step()
    assert [kind for _, kind, _, _ in plant.told()] == ["raised", "returned"]


def test_what_is_over_is_kept_for_a_time(plant: Plant) -> None:
    for name in ("r1", "r2", "r3"):
        plant.thing(name, "water_level")
    plant.rule(threshold("level", 5.0, storm={"count": 2, "within": "60s"}))
    plant.step()
    plant.write(*((name, "water_level", 6.0) for name in ("r1", "r2", "r3")))
    plant.step()
    plant.write(("r1", "water_level", 1.0), ("r2", "water_level", 1.0))
    plant.step()
    entry = next(a for a in plant.current() if a.kind == "storm")
    alarm_actions.acknowledge(plant.conn, entry.id, "p:1", plant.clock())
    plant.conn.commit()
    assert {a.thing for a in plant.current()} == {"", "r3"}
    assert alarm_history.trim(plant.conn, plant.clock() - timedelta(hours=1)) == 0
    assert alarm_history.trim(plant.conn, plant.clock() + timedelta(hours=1)) == 2
    assert {a.thing for a in plant.current()} == {"", "r3"}
    plant.conn.commit()
    plant.write(("r3", "water_level", 1.0))
    plant.step()
    assert plant.current() == []
    assert alarm_history.trim(plant.conn, plant.clock() + timedelta(hours=1)) == 1
    assert alarm_history.trim(plant.conn, plant.clock() + timedelta(hours=1)) == 1  # the entry, after its members
    assert plant.changes() == []


def test_what_was_taken_out_stays_out_when_its_rule_comes_back(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    plant.rule(threshold("level", 5.0))
    plant.write(("r1", "water_level", 6.0))
    plant.step()
    alarm_actions.put_out(plant.conn, "level", "r1", State.SUPPRESSED, "p:1", plant.clock(), "dry dock")
    plant.conn.commit()
    plant.rule(threshold("level", 5.0, enabled=False))
    plant.step()
    plant.rule(threshold("level", 5.0))
    plant.step()
    assert [a.state for a in plant.current()] == [State.SUPPRESSED]


def test_a_rule_is_tried_on_the_stored_history(plant: Plant) -> None:
    plant.thing("r1", "water_level")
    now = plant.clock()
    for hours, value in ((5, 1.0), (4, 6.0), (3, 6.5), (2, 1.0), (1, 9.0)):
        plant.write(("r1", "water_level", value), at=now - timedelta(hours=hours))
    end = round(now.timestamp() * 1_000_000)
    found = alarm_trial.trial(plant.conn, read(threshold("t", 5.0, 8.0)), end - 86_400_000_000, end)
    assert [(f.thing, f.level, f.value, f.end is None) for f in found.fired] == [
        ("r1", 1, 6.0, False), ("r1", 2, 9.0, True),
    ]  # fmt: skip
    assert (found.times, found.used, found.readings) == (2, "raw", 5)


def test_the_borders_of_an_area_are_a_fence_and_a_scope(plant: Plant) -> None:
    areas.seed(plant.conn)
    here, there = [area for area in areas.list_areas(plant.conn) if area.geometry][:2]
    plant.thing("truck", "longitude", "latitude", kind="vehicle")
    plant.thing("r1", "water_level", area=here.id)
    plant.thing("r2", "water_level", area=there.id)
    when = {"type": "geofence", "on": "inside", "area": here.id}
    plant.rule({"id": "fence", "vi": "x", "en": "x", "scope": {"kind": "vehicle"},
                "levels": [{"priority": "low", "when": when}]})  # fmt: skip
    plant.rule(threshold("one", 5.0, scope={"area": here.id}))
    plant.rule(threshold("all", 5.0, scope={"area": areas.PROVINCE, "kind": "river"}))
    plant.step()
    for area in (there, here):
        assert area.geometry is not None
        lon, lat = np.mean(area.geometry["coordinates"][0][:-1], axis=0).tolist()  # the cells are convex
        plant.write(("truck", "longitude", lon), ("truck", "latitude", lat))
        plant.step()
    plant.write(("r1", "water_level", 6.0), ("r2", "water_level", 6.0))
    plant.step()
    told = sorted((c.alarm.rule, c.alarm.thing) for c in plant.changes())
    assert told == [("all", "r1"), ("all", "r2"), ("fence", "truck"), ("one", "r1")]
    assert {rule.faults for rule in alarm_rules.list_rules(plant.conn)} == {()}


def test_a_storm_that_somebody_closed_hides_nothing(one_plant: Plant) -> None:
    plant = one_plant
    names = [f"r{n}" for n in range(8)]
    for name in names:
        plant.thing(name, "water_level")
    plant.rule(threshold("level", 5.0, storm={"count": 3, "within": "60s"}, escalation=[{"after": "5m", "to": "x"}]))
    plant.step()
    plant.write(*((name, "water_level", 6.0) for name in names[:5]))
    plant.step()
    (entry,) = alarm_history.current(plant.conn, Wanted(grouped=True))
    assert (entry.members, entry.escalate_at is not None) == (5, True)
    now = plant.clock()
    alarm_actions.act(plant.conn, entry.id, lambda a, _: lifecycle.close(a, "p:1", now, "one by one"), now)
    plant.conn.commit()
    assert len(alarm_history.current(plant.conn, Wanted(grouped=True))) == 5
    plant.conn.commit()
    plant.write(("r6", "water_level", 6.0))
    plant.step()
    (new,) = [a for a in plant.current() if a.thing == "r6"]
    assert new.storm is None
    assert new.escalate_at is not None
