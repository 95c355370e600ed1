"""The audit's chain, the claims mapping, the broker's files: pure."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tram.errors import SettingsError
from tram.identity import broker, brokerrules, chain, claims
from tram.identity.chain import GENESIS, Anchor, Entry, Linked
from tram.identity.principal import Grant
from tram.identity.roles import Role
from tram.identity.scope import Scope

entries = st.lists(
    st.tuples(
        st.text(max_size=8), st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=5), max_size=2)
    ),
    min_size=1,
    max_size=12,
)


def linked(contents: list[tuple[str, dict[str, object]]]) -> list[Linked]:
    rows: list[Linked] = []
    previous = GENESIS
    for i, (text, detail) in enumerate(contents, start=1):
        entry = Entry(i, 1_000_000 * i, "p:1", "lan", "people.manage", text, "allowed", "city-admin", "::1", detail)
        rows.append(Linked(entry, previous, chain.digest(entry, previous)))
        previous = rows[-1].hash
    return rows


def anchor(row: Linked) -> Anchor:
    return Anchor(row.entry.seq, row.hash, row.entry.at)


@given(entries)
def test_an_untouched_chain_has_no_fault(contents: list[tuple[str, dict[str, object]]]) -> None:
    rows = linked(contents)
    assert list(chain.verify(rows, [anchor(row) for row in rows])) == []
    half = len(rows) // 2
    if half:
        assert list(chain.verify(rows[half:], [], after=anchor(rows[half - 1]))) == []


@given(entries, st.data())
def test_an_edit_a_deletion_and_a_cut_are_found(
    contents: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    rows = linked(contents)
    i = data.draw(st.integers(0, len(rows) - 1))
    edited = [*rows]
    edited[i] = replace(rows[i], entry=replace(rows[i].entry, why="auditor"))
    assert "edited" in {f.kind for f in chain.verify(edited)}
    removed = rows[:i] + rows[i + 1 :]
    kinds = {f.kind for f in chain.verify(removed, [anchor(rows[-1])])}
    assert kinds <= {"missing", "relinked", "cut-off"}
    assert kinds
    cut = list(chain.verify(rows[:i], [anchor(rows[-1])]))
    assert [f.kind for f in cut] == ["cut-off"]
    assert list(chain.verify(rows[:i])) == [], "without an anchor outside, a cut tail cannot be seen: hence the anchors"


@given(entries, st.data())
def test_a_chain_that_was_made_anew_is_found_by_its_anchor(
    contents: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    rows = linked(contents)
    i = data.draw(st.integers(0, len(contents) - 1))
    forged = linked([*contents[:i], (contents[i][0] + "x", {}), *contents[i + 1 :]])
    assert list(chain.verify(forged)) == []
    assert {f.kind for f in chain.verify(forged, [anchor(rows[-1])])} == {"relinked"}


def test_two_rows_in_each_others_place_are_found() -> None:
    rows = linked([("a", {}), ("b", {}), ("c", {})])
    assert {f.kind for f in chain.verify([rows[0], rows[2], rows[1]])} >= {"missing", "disordered"}


def test_claims_become_roles_by_the_mapping_alone() -> None:
    mapping = claims.parse_mapping("truc = operator:area=05482, 05485; lanh-dao = city-admin ; bs=doctor:facility=BV01")
    operator = Grant(Role.OPERATOR, Scope(areas=frozenset({"05482", "05485"})))
    assert claims.grants({"groups": ["truc", "unknown", 7, None]}, "groups", mapping) == (operator,)
    assert claims.grants({"groups": "lanh-dao"}, "groups", mapping) == (Grant(Role.CITY_ADMIN),)
    assert claims.grants({"realm_access": {"roles": ["bs"]}}, "realm_access.roles", mapping) == (
        Grant(Role.DOCTOR, Scope(facilities=frozenset({"BV01"}))),
    )
    for odd in ({}, {"groups": None}, {"groups": {"truc": 1}}, {"groups": 3}, {"groups": [["truc"]]}):
        assert claims.grants(odd, "groups", mapping) == ()


WRONG_MAPPINGS = [
    "x", "=operator", "a=machine", "a=device", "a=citizen", "a=king", "a=doctor", "a=doctor:area=1",
    "a=operator:area=", "a=operator:facility=x", "a=operator:area=x y",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG_MAPPINGS)
def test_a_wrong_mapping_names_itself(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^oidc_roles: [^\n]*$"):
        claims.parse_mapping(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=6), c, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["groups", "a"]), json_values), st.sampled_from(["groups", "groups.a", "a.b.c", ""])
)
def test_any_claims_are_read_without_error(value: dict[str, object], name: str) -> None:
    assert all(g.role is Role.OPERATOR for g in claims.grants(value, name, claims.parse_mapping("a=operator")))


@given(st.text(min_size=1, max_size=40))
def test_a_password_fits_its_hash_and_no_other(password: str) -> None:
    stored = broker.hashed(password, iterations=2)
    assert broker.fits(password, stored)
    assert not broker.fits(password + "x", stored)


def test_mosquittos_own_tool_makes_the_same_hash(tmp_path: Path) -> None:
    """mosquitto_passwd's line is checked by this code, so that both hold the same secret."""
    import shutil

    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
    file = tmp_path / "passwd"
    file.touch(mode=0o600)
    subprocess.run([tool, "-b", str(file), "air-1", "khí trời trong lành"], check=True)
    user, _, stored = file.read_text().strip().partition(":")
    assert user == "air-1"
    assert broker.fits("khí trời trong lành", stored)
    assert not broker.fits("khí trời", stored)


@pytest.mark.parametrize(
    "stored", ["", "plain", "$6$a$b", "$7$x$AA==$AA==", "$7$0$AA==$AA==", "$7$99999999999$AA==$AA==", "$7$2$!$!"]
)
def test_a_damaged_hash_is_said(stored: str) -> None:
    with pytest.raises(broker.CredentialError):
        broker.fits("x", stored)


@pytest.mark.parametrize("name", ["", "#", "+", "a/b", "a b", "a\nb", "a:b", "a~2", "x" * 101, ".hidden", "ă"])
def test_a_name_that_would_break_the_files_is_refused(name: str) -> None:
    with pytest.raises(broker.CredentialError):
        broker.user_of(name, 1)


def test_the_files_name_each_device_and_nothing_more() -> None:
    users = [broker.device("air-1", 1, "$7$h1"), broker.device("air-1", 2, "$7$h2", ["application/7/device/aa/#"])]
    assert broker.passwords(users) == "air-1:$7$h1\nair-1~2:$7$h2\n"
    made = brokerrules.rules(users)
    assert ("publishClientSend", "tram/v1/air-1/telemetry") in made["air-1~2"]
    assert ("publishClientSend", "application/7/device/aa/#") in made["air-1~2"]
    assert {topic for sort, topic in made["air-1"] if sort == "subscribePattern"} == {"tram/v1/air-1/command/+"}
    assert "$7$" not in json.dumps(brokerrules.document(made)), "no secret stands in the rules"
    assert broker.thing_of("air-1~2") == "air-1"


def test_a_topic_cannot_add_a_rule() -> None:
    with pytest.raises(broker.CredentialError):
        brokerrules.rules([broker.device("air-1", 1, "$7$h", ["a\ntopic readwrite #"])])
    for plane in broker.PLANES:
        with pytest.raises(broker.CredentialError):
            broker.device(plane, 1, "$7$h")


names = st.sampled_from(["a", "b", "c", "control"])
held = st.dictionaries(names, st.frozensets(st.tuples(st.sampled_from(["publishClientSend"]), st.sampled_from("xyz"))))
seats = st.dictionaries(names, st.lists(names, max_size=2).map(tuple))


@given(held, held, seats)
def test_the_changes_make_the_broker_what_is_wanted(
    wanted: brokerrules.Rules, roles: brokerrules.Rules, clients: dict[str, tuple[str, ...]]
) -> None:
    """A broker that does as it is told ends with what is wanted; the control user is left alone."""
    wanted = {name: rules for name, rules in wanted.items() if name != "control"}
    has, who = dict(roles), dict(clients)
    for command in brokerrules.changes(wanted, roles, clients):
        match command["command"]:
            case "deleteClient":
                del who[command["username"]]
            case "deleteRole":
                del has[command["rolename"]]
            case "createRole" | "modifyRole":
                assert (command["rolename"] in has) is (command["command"] == "modifyRole")
                has[command["rolename"]] = frozenset((acl["acltype"], acl["topic"]) for acl in command["acls"])
            case _:
                who[command["username"]] = tuple(role["rolename"] for role in command["roles"])
    assert {n: r for n, r in has.items() if n != "control"} == wanted
    assert {n: r for n, r in who.items() if n != "control"} == {name: (name,) for name in wanted}
    assert who.get("control") == clients.get("control")


def test_the_chain_is_over_plain_json() -> None:
    entry = Entry(1, 5, "p:1", "Lan", "x", "y", "allowed", "z", "::1", {"b": 1, "a": "ă"})
    import hashlib

    text = json.dumps([1, 5, "p:1", "Lan", "x", "y", "allowed", "z", "::1", {"a": "ă", "b": 1}], separators=(",", ":"))
    assert chain.digest(entry, GENESIS) == hashlib.sha256(GENESIS + text.encode()).digest()
