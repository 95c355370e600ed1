"""The decision: nothing without a rule, nothing outside a scope, and a narrower principal never may more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tram.identity import (
    ANONYMOUS,
    ANYWHERE,
    OPERATIONS,
    AreaTree,
    Grant,
    Kind,
    Limit,
    Principal,
    Reach,
    Role,
    Scope,
    Target,
    decide,
    machine,
    may_grant,
)
from tram.identity.roles import CARE, GRANTABLE

NOW = 1_800_000_000.0
TREE = AreaTree({"19": None, "05482": "19", "05485": "19", "01": None, "00001": "01"})
AREAS = ("19", "05482", "05485", "01", "00001")
FACILITIES = ("TYT-01", "TYT-02", "BV-01")

scopes = st.builds(
    Scope,
    areas=st.none() | st.frozensets(st.sampled_from(AREAS), max_size=3),
    facilities=st.none() | st.frozensets(st.sampled_from(FACILITIES), max_size=2),
)
grants = st.builds(Grant, st.sampled_from(sorted(Role)), scopes, st.none() | st.sampled_from([NOW - 1, NOW, NOW + 1]))
limits = st.builds(
    Limit,
    roles=st.none() | st.frozensets(st.sampled_from(sorted(Role)), max_size=4),
    operations=st.none() | st.frozensets(st.sampled_from(sorted(OPERATIONS)), max_size=20),
    scope=scopes,
)
principals = st.builds(
    Principal,
    kind=st.sampled_from(sorted(Kind)),
    id=st.sampled_from(["p:1", "p:2", "d:air-1"]),
    grants=st.lists(grants, max_size=4).map(tuple),
    limits=st.lists(limits, max_size=2).map(tuple),
    stepped_up=st.none() | st.sampled_from([NOW - 301, NOW - 10, NOW, NOW + 10]),
)
targets = st.builds(
    Target,
    path=st.sampled_from([(), *(TREE.path(area) for area in AREAS)]),
    facility=st.none() | st.sampled_from(FACILITIES),
    owner=st.none() | st.sampled_from(["p:1", "p:2", "d:air-1", "anonymous"]),
    assigned=st.frozensets(st.sampled_from(["p:1", "p:2"])),
    public=st.booleans(),
)
operations = st.sampled_from(sorted(OPERATIONS))


def person(role: Role, scope: Scope = ANYWHERE, stepped_up: float | None = NOW) -> Principal:
    return Principal(Kind.PERSON, "p:1", "lan", (Grant(role, scope),), stepped_up=stepped_up)


@given(principals, st.text(max_size=20).filter(lambda name: name not in OPERATIONS), st.none() | targets)
def test_an_operation_without_a_rule_is_refused(who: Principal, name: str, target: Target | None) -> None:
    decision = decide(who, name, target, now=NOW)
    assert not decision.allowed
    assert decision.code == "unknown-operation"


@given(principals, operations, st.none() | targets)
def test_what_is_allowed_has_a_rule_of_a_grant_in_force(who: Principal, name: str, target: Target | None) -> None:
    decision = decide(who, name, target, now=NOW)
    if decision.allowed:
        held = {g.role for g in who.grants if g.expires is None or g.expires > NOW}
        if who.kind is not Kind.DEVICE:
            held.add(Role.CITIZEN)
        assert held & set(OPERATIONS[name].rules)
    else:
        assert decision.why
    assert "\n" not in decision.why


@given(principals, operations, st.none() | targets, limits)
def test_narrowing_never_widens(who: Principal, name: str, target: Target | None, limit: Limit) -> None:
    if decide(who.narrowed(limit), name, target, now=NOW).allowed:
        assert decide(who, name, target, now=NOW).allowed


@given(principals, operations, targets, st.data())
def test_a_smaller_scope_never_widens(who: Principal, name: str, target: Target, data: st.DataObject) -> None:
    def fewer(codes: frozenset[str] | None, known: tuple[str, ...]) -> frozenset[str] | None:
        if codes is None:
            return data.draw(st.none() | st.frozensets(st.sampled_from(known)))
        return data.draw(st.frozensets(st.sampled_from(sorted(codes)))) if codes else codes

    smaller = [
        replace(g, scope=Scope(fewer(g.scope.areas, AREAS), fewer(g.scope.facilities, FACILITIES))) for g in who.grants
    ]
    if decide(replace(who, grants=tuple(smaller)), name, target, now=NOW).allowed:
        assert decide(who, name, target, now=NOW).allowed


@given(principals, operations, targets)
def test_dropping_a_grant_never_widens(who: Principal, name: str, target: Target) -> None:
    for i in range(len(who.grants)):
        fewer = replace(who, grants=who.grants[:i] + who.grants[i + 1 :])
        if decide(fewer, name, target, now=NOW).allowed:
            assert decide(who, name, target, now=NOW).allowed


@given(principals, operations, targets)
def test_a_list_shows_exactly_what_single_decisions_allow(who: Principal, name: str, target: Target) -> None:
    """Asking for a list and filtering by `covers` is the same as asking for each."""
    listed = decide(who, name, None, now=NOW)
    assert (listed.allowed and listed.covers(target)) == decide(who, name, target, now=NOW).allowed


@given(principals, operations, st.sampled_from(AREAS))
def test_areas_for_sql_agree_with_the_decision(who: Principal, name: str, area: str) -> None:
    """A target that has an area and nothing else is in the SQL's list exactly where it is allowed."""
    listed = decide(who, name, None, now=NOW)
    facilities = [limit.scope.facilities for limit in who.limits]
    if not listed.allowed or any(f is not None for f in facilities) or listed.reaches(Reach.FACILITY):
        return
    codes = listed.areas(TREE)
    target = Target(path=TREE.path(area))
    assert (codes is None or area in codes) == decide(who, name, target, now=NOW).allowed


@given(principals, st.sampled_from(sorted(GRANTABLE)), scopes, operations, targets)
def test_nobody_gives_what_reaches_further_than_they_do(
    who: Principal, role: Role, scope: Scope, name: str, target: Target
) -> None:
    """Whatever area or facility the given role covers, the giver's own scope covers too."""
    if may_grant(who, role, scope, TREE, now=NOW):
        held = [g.scope for g in who.grants if g.role in (Role.CITY_ADMIN, Role.HOSPITAL_ADMIN, Role.MACHINE)]
        inside = scope.covers_facility(target.facility) if role in CARE else scope.covers_area(target.path)
        if inside:
            assert any(h.covers_facility(target.facility) if role in CARE else h.covers_area(target.path) for h in held)


def test_a_loop_in_the_area_table_does_not_hang() -> None:
    assert AreaTree({"a": "b", "b": "a"}).path("a") == ("b", "a")


OPEN_TO_ALL = {"open.read", "session.open", "session.close", "areas.read", "cap.read", "devices.claim"}
"""What needs nobody: the public's alerts among them."""


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_unknown_reach_only_what_is_open(name: str) -> None:
    theirs = Target(path=("19",), facility="TYT-01", owner="p:1", assigned=frozenset({"p:1"}))
    allowed = decide(ANONYMOUS, name, theirs, now=NOW).allowed
    assert allowed == (name in OPEN_TO_ALL)


def test_an_operator_of_one_commune_sees_it_and_not_the_next() -> None:
    who = person(Role.OPERATOR, Scope(areas=frozenset({"05482"})))
    here = decide(who, "things.read", Target(path=TREE.path("05482")), now=NOW)
    there = decide(who, "things.read", Target(path=TREE.path("05485")), now=NOW)
    assert (here.allowed, here.why) == (True, "operator of area 05482")
    assert (there.allowed, there.code) == (False, "out-of-scope")


def test_a_nurse_of_one_station_cannot_read_anothers_records() -> None:
    who = person(Role.STATION_STAFF, Scope(facilities=frozenset({"TYT-01"})))
    assert decide(who, "record.read", Target(facility="TYT-01"), now=NOW).allowed
    assert not decide(who, "record.read", Target(facility="TYT-02"), now=NOW).allowed
    assert not decide(who, "record.read", Target(), now=NOW).allowed


def test_a_doctor_reads_assigned_records_only_and_breaks_glass_with_proof() -> None:
    who = person(Role.DOCTOR, Scope(facilities=frozenset({"BV-01"})), stepped_up=None)
    assert decide(who, "record.read", Target(assigned=frozenset({"p:1"})), now=NOW).allowed
    assert not decide(who, "record.read", Target(assigned=frozenset({"p:2"})), now=NOW).allowed
    assert decide(who, "record.break-glass", Target(), now=NOW).code == "step-up"
    assert decide(replace(who, stepped_up=NOW - 299), "record.break-glass", Target(), now=NOW).allowed
    assert decide(replace(who, stepped_up=NOW + 60), "record.break-glass", Target(), now=NOW).code == "step-up"


def test_a_city_role_reads_no_clinical_record() -> None:
    for role in (Role.OPERATOR, Role.CITY_ADMIN, Role.AUDITOR, Role.HOSPITAL_ADMIN):
        for name in (n for n in OPERATIONS if n.startswith("record.")):
            target = Target(path=("19",), facility="TYT-01", assigned=frozenset({"p:1"}), public=True)
            assert not decide(person(role), name, target, now=NOW).allowed, (role, name)


def test_a_program_cannot_do_what_asks_for_a_step_up() -> None:
    token = Principal(Kind.TOKEN, "t:1", "grafana", (Grant(Role.CITY_ADMIN),))
    assert decide(token, "people.manage", Target(), now=NOW).code == "step-up"


def test_a_device_is_no_citizen() -> None:
    device = Principal(Kind.DEVICE, "d:air-1", "air-1", (Grant(Role.DEVICE),))
    assert decide(device, "telemetry.publish", Target(owner="d:air-1"), now=NOW).allowed
    assert not decide(device, "telemetry.publish", Target(owner="d:air-2"), now=NOW).allowed
    assert not decide(device, "things.read", Target(public=True), now=NOW).allowed


def test_the_server_is_never_granted_and_cannot_read_records() -> None:
    assert not may_grant(machine("root"), Role.MACHINE, Scope(), TREE, now=NOW)
    assert not may_grant(machine("root"), Role.DEVICE, Scope(), TREE, now=NOW)
    assert not decide(machine("root"), "record.read", Target(facility="TYT-01"), now=NOW).allowed


def test_a_hospital_admin_gives_care_roles_at_the_own_facility_only() -> None:
    who = person(Role.HOSPITAL_ADMIN, Scope(facilities=frozenset({"BV-01"})))
    assert may_grant(who, Role.DOCTOR, Scope(facilities=frozenset({"BV-01"})), TREE, now=NOW)
    assert not may_grant(who, Role.DOCTOR, Scope(facilities=frozenset({"BV-02"})), TREE, now=NOW)
    assert not may_grant(who, Role.DOCTOR, Scope(), TREE, now=NOW)
    assert not may_grant(who, Role.OPERATOR, Scope(), TREE, now=NOW)
    assert not may_grant(who, Role.HOSPITAL_ADMIN, Scope(facilities=frozenset({"BV-01"})), TREE, now=NOW)


def holder(role: Role) -> Principal:
    kinds = {Role.DEVICE: Kind.DEVICE, Role.MACHINE: Kind.MACHINE}
    return Principal(kinds.get(role, Kind.PERSON), "p:1", "x", (Grant(role),), stepped_up=NOW)


def test_every_operation_can_be_allowed_and_can_be_refused() -> None:
    """A rule nobody can meet, or one that everybody meets without it being meant, is a mistake in the catalogue."""
    everything = Target(("19",), "TYT-01", "p:1", frozenset({"p:1"}), public=True)
    for name, rule in OPERATIONS.items():
        roles = [r for r in Role if r in rule.rules]
        assert roles, name
        allowed = {role: decide(holder(role), name, everything, now=NOW).allowed for role in Role}
        assert all(allowed[role] for role in roles), name
        assert name in OPEN_TO_ALL or not all(allowed.values()), name
