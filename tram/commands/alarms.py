"""`tram alarms`: rules, what stands, what was, and what one does to it, from the server."""

import argparse
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from tram.alarms import lifecycle, rules
from tram.alarms.durations import Duration
from tram.alarms.model import Alarm, State
from tram.clock import from_micros, to_micros
from tram.commands._identity import Desk, desk
from tram.commands._plane import become
from tram.errors import NotFoundError, SettingsError
from tram.settings import Settings
from tram.store import alarm_actions, alarm_history, alarm_rules, alarm_trial
from tram.store.alarm_history import Wanted

HELP = "rules of alarms; list, acknowledge, shelve, assign, comment, close alarms"
DESCRIPTION = "What stands, what was, and the rules that raise it. `tram alarms run` is the process that judges."
OPERATION = "server.data"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("run", help="the process: `python -m services.alarms`")
    shown = actions.add_parser("rules", help="every rule: on or off, version, name, what is wrong with it")
    shown.add_argument("--versions", metavar="RULE", help="every version of this one")
    load = actions.add_parser("import", help="add or change the rules of a TOML file")
    load.add_argument("file", type=Path)
    save = actions.add_parser("export", help="print rules as JSON, one a line; `import` reads that too")
    save.add_argument("rule", nargs="*")
    for name, text in (("enable", "switch a rule on"), ("disable", "switch a rule off; its alarms are closed"),
                       ("delete", "delete a rule")):  # fmt: skip
        actions.add_parser(name, help=text).add_argument("rule")
    attempt = actions.add_parser("try", help="when and where a rule would have fired")
    attempt.add_argument("rule", help="a rule's id, or a TOML file with one")
    attempt.add_argument("--over", default="7d", help="how much history up to now: 6h, 7d (default)")
    listing = actions.add_parser("list", help="alarms that stand")
    listing.add_argument("--all", action="store_true", help="members of storms too")
    past = actions.add_parser("history", help="alarms raised lately")
    past.add_argument("--over", default="1d", help="6h, 1d (default), 7d")
    figures = actions.add_parser("statistics", help="how many, how long, how soon acknowledged, which most")
    figures.add_argument("--over", default="7d")
    actions.add_parser("show", help="one alarm and what happened to it").add_argument("id", type=int)
    for name, text in (("ack", "acknowledge; a storm with its members"), ("unshelve", "take from the shelf"),
                       ("close", "end by hand"), ("comment", "say something to it")):  # fmt: skip
        one = actions.add_parser(name, help=text)
        one.add_argument("id", type=int)
        one.add_argument("--comment", default="")
    shelve = actions.add_parser("shelve", help="put aside for a time")
    shelve.add_argument("id", type=int)
    shelve.add_argument("span", help="30m, 8h, at most 7d")
    shelve.add_argument("--comment", default="")
    assign = actions.add_parser("assign", help="give to somebody")
    assign.add_argument("id", type=int)
    assign.add_argument("login", help="sign-in name; - for nobody")
    out = actions.add_parser("out", help="suppress a rule at a Thing, take it out of service, restore it; or list")
    out.add_argument("rule", nargs="?")
    out.add_argument("thing", nargs="?")
    out.add_argument("mode", nargs="?", choices=("suppressed", "out-of-service", "in-service"))
    out.add_argument("--comment", default="")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    if args.action == "run":
        become("services.alarms")
    with desk(settings, OPERATION) as at:
        zone = timezone(timedelta(hours=settings.utc_offset))
        code = _ACTIONS[args.action](args, at, settings, zone)
    return int(code or 0)


def _rules(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    found = alarm_rules.versions(at.conn, args.versions) if args.versions else alarm_rules.list_rules(at.conn)
    for one in found:
        word = "xoá/deleted" if one.deleted else "bật/on" if one.enabled else "tắt/off"
        name = f"{one.document.get('vi', '')} / {one.document.get('en', '')}"
        print(f"{one.id}\t{word}\tv{one.version}\t{name}\t{_local(one.updated, zone)} {one.by}")
        for fault in one.faults:
            print(f"\t! {fault.where}: {fault.what}")
    return 0


def _import(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    try:
        data = args.file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{args.file} cannot be read: {error.strerror}") from None
    changed = []
    for rule in _read(data):
        stored = alarm_rules.put(at.conn, rule, at.actor.id)
        changed.append(rule.id)
        print(f"{rule.id}\tv{stored.version}")
    at.note("alarm rules", {"imported": changed[:100]})
    return 0


def _read(data: bytes) -> list[rules.Rule]:
    if data.lstrip()[:1] == b"{":
        try:
            return [rules.read(json.loads(line)) for line in data.splitlines() if line.strip()]
        except ValueError as error:
            raise SettingsError(f"no JSON, a rule a line: {error}") from None
    return alarm_rules.read_toml(data)


def _export(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    found = [alarm_rules.get(at.conn, id) for id in args.rule] if args.rule else alarm_rules.list_rules(at.conn)
    for one in found:
        print(json.dumps({**one.document, "enabled": one.enabled}, ensure_ascii=False))
    return 0


def _switch(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    if args.action == "delete":
        alarm_rules.delete(at.conn, args.rule, at.actor.id)
    else:
        stored = alarm_rules.get(at.conn, args.rule)
        document = {**stored.document, "enabled": args.action == "enable"}
        alarm_rules.put(at.conn, rules.read(document), at.actor.id)
    at.note(f"alarm rule {args.rule}", {"action": args.action})
    return 0


def _try(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    if Path(args.rule).is_file():
        found = _read(Path(args.rule).read_bytes())
        if len(found) != 1:
            raise SettingsError(f"{args.rule} has {len(found)} rules: a trial takes one")
        rule = found[0]
    else:
        rule = alarm_rules.get(at.conn, args.rule).rule
    end = to_micros(datetime.fromtimestamp(at.now, UTC))
    done = alarm_trial.trial(at.conn, rule, end - _span(args.over).micros, end, utc_offset=settings.utc_offset)
    print(
        f"{args.over}: {done.times} lần/times, {done.things}/{done.looked_at} thiết bị/Things "
        f"({done.used}, {done.readings} số liệu/readings)"
    )
    for fault in done.faults:
        print(f"\t! {fault.where}: {fault.what}")
    for fired in done.fired[:50]:
        until = _local(from_micros(fired.end), zone) if fired.end is not None else "…"
        value = "" if fired.value is None else f"{fired.value:g}"
        print(f"{_local(from_micros(fired.start), zone)}\t{until}\t{fired.level}\t{fired.thing}\t{value}")
    return 0


def _list(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    for alarm in alarm_history.current(at.conn, Wanted(grouped=not args.all), limit=1000):
        _print(alarm, zone)
    return 0


def _history(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    end = datetime.fromtimestamp(at.now, UTC) + timedelta(seconds=1)
    start = end - timedelta(seconds=_span(args.over).seconds)
    for alarm in alarm_history.history(at.conn, Wanted(), start, end, limit=1000):
        _print(alarm, zone)
    return 0


def _statistics(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    end = datetime.fromtimestamp(at.now, UTC) + timedelta(seconds=1)
    found = alarm_history.statistics(at.conn, Wanted(), end - timedelta(seconds=_span(args.over).seconds), end)
    print(f"{args.over}: {found.raised} lần/raised {found.by_priority}")
    print(f"chưa xác nhận/unacknowledged: {found.unacknowledged}; xác nhận/acknowledged: {found.acknowledged}")
    if found.ack_mean is not None and found.ack_longest is not None:
        print(f"xác nhận sau/time to acknowledge: {found.ack_mean:.0f} s, lâu nhất/longest {found.ack_longest:.0f} s")
    print(f"bận nhất/busiest: {found.busiest} / 10 min; kéo dài/held {found.active / 3600:.1f} h")
    for one in found.frequent[:10]:
        chatters = "\tnhấp nháy/chatters" if one in found.chattering else ""
        print(f"{one.times}\t{one.rule}\t{one.thing}{chatters}")
    return 0


def _show(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    _print(alarm_actions.act(at.conn, args.id, lambda *_: None, datetime.now(UTC)), zone)
    for change in alarm_history.changes_of(at.conn, args.id):
        said = f"\t{change.comment}" if change.comment else ""
        more = f"\t{json.dumps(change.detail, ensure_ascii=False)}" if change.detail else ""
        print(f"  {_local(change.at, zone)}\t{change.kind.value}\t{change.alarm.state.value}\t{change.who}{said}{more}")
    return 0


def _act(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    who, now = at.actor.id, datetime.fromtimestamp(at.now, UTC)
    said = getattr(args, "comment", "")
    if args.action == "ack":
        done = alarm_actions.acknowledge(at.conn, args.id, who, now, said)
    elif args.action == "shelve":
        until = now + timedelta(seconds=_span(args.span).seconds)
        done = alarm_actions.act(at.conn, args.id, lambda a, _: lifecycle.shelve(a, until, who, now, said), now)
    elif args.action == "unshelve":
        done = alarm_actions.act(
            at.conn, args.id,
            lambda a, steps: lifecycle.restore(a, who, now, steps, said) if a.state is State.SHELVED else None, now,
        )  # fmt: skip
    elif args.action == "close":
        done = alarm_actions.act(at.conn, args.id, lambda a, _: lifecycle.close(a, who, now, said), now)
    elif args.action == "comment":
        if not said:
            raise SettingsError("say it: --comment TEXT")
        done = alarm_actions.act(at.conn, args.id, lambda a, _: lifecycle.comment(a, said, who, now), now)
    else:
        to = "" if args.login == "-" else _person(at, args.login)
        done = alarm_actions.act(at.conn, args.id, lambda a, _: lifecycle.assign(a, to, who, now), now)
    _print(done, zone)
    at.note(f"alarm {args.id}", {"action": args.action, "comment": said})
    return 0


def _out(args: argparse.Namespace, at: Desk, settings: Settings, zone: timezone) -> int:
    if args.rule is None:
        for row in alarm_rules.out(at.conn):
            print(f"{row.rule}\t{row.thing}\t{row.mode.value}\t{_local(row.at, zone)}\t{row.by}\t{row.comment}")
        return 0
    if args.mode is None:
        raise SettingsError("say the rule, the Thing and suppressed, out-of-service or in-service")
    mode = None if args.mode == "in-service" else State(args.mode)
    now = datetime.fromtimestamp(at.now, UTC)
    alarm_actions.put_out(at.conn, args.rule, args.thing, mode, at.actor.id, now, args.comment)
    at.note(f"{args.rule}@{args.thing}", {"mode": args.mode, "comment": args.comment})
    return 0


_ACTIONS = {
    "rules": _rules, "import": _import, "export": _export, "enable": _switch, "disable": _switch, "delete": _switch,
    "try": _try, "list": _list, "history": _history, "statistics": _statistics, "show": _show, "ack": _act,
    "shelve": _act, "unshelve": _act, "close": _act, "comment": _act, "assign": _act, "out": _out,
}  # fmt: skip


def _person(at: Desk, login: str) -> str:
    row = at.conn.execute("SELECT id FROM account WHERE login = %s", (login,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is nobody {login!r}")
    return f"p:{row[0]}"


def _print(alarm: Alarm, zone: timezone) -> None:
    who = f" ({alarm.assignee})" if alarm.assignee else ""
    when = _local(alarm.raised, zone)
    size = f" [{alarm.members}]" if alarm.kind == "storm" else ""
    print(f"{alarm.id}\t{when}\t{alarm.priority.word}\t{alarm.state.value}{who}\t{alarm.vi} / {alarm.en}{size}")


def _local(moment: datetime, zone: timezone) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _span(text: str) -> Duration:
    try:
        return Duration.parse(float(text) if re.fullmatch(r"\d+", text) else text)
    except ValueError as error:
        raise SettingsError(str(error)) from None
