"""`tram doctor`: what is in force, what is missing, and how to get it."""

import argparse
import json
from itertools import groupby

from tram.commands._checks import Check, all_checks
from tram.settings import Settings, described

HELP = "say what is in force, what is missing and how to get it"
OPERATION = "server.inspect"
DESCRIPTION = (
    "Looks at versions, the embedded parts, the database and its edition, the broker, the planes' addresses, the home "
    "folder and the tools of the tests; changes nothing. Exit code 0 when Trạm can run, 1 when something that it needs "
    "is missing or does not answer."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to show, and how."""
    parser.add_argument("--settings", action="store_true", help="list every setting, its value and where it comes from")
    parser.add_argument("--markdown", action="store_true", help="with --settings: as the table of the guide")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Looks and tells."""
    listed = listing(settings)
    if args.markdown:
        print("\n".join(markdown()))
        return 0
    if args.settings and not args.json:
        _print_settings(listed)
        return 0
    checks = list(all_checks(settings))
    fine = all(check.ok for check in checks if check.needed)
    if args.json:
        report = {"ok": fine, "checks": [check.as_dict() for check in checks], "settings": listed}
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _print_checks(checks)
        _print_settings([entry for entry in listed if entry["from"] != "default"])
        print("ổn / fine" if fine else "thiếu / something that is needed is missing: see ✗ above")
    return 0 if fine else 1


def listing(settings: Settings) -> list[dict[str, object]]:
    """Every setting: name, environment variable, value ("(hidden)" for a secret that is set), where from, help."""
    found: list[dict[str, object]] = []
    for name, variable, _, meta in described():
        value = getattr(settings, name)
        shown = "(hidden)" if meta["secret"] and value else value if isinstance(value, int | float) else str(value)
        origin = settings.origin.get(name, "default")
        found.append({"name": name, "variable": variable, "value": shown, "from": origin, "help": meta["help"]})
    return found


def markdown() -> list[str]:
    """The settings as docs/guides/running.md shows them."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for _, variable, default, meta in described():
        shown = f"`{default}`" if str(default) else ""
        limits = [f"from {meta['low']:g}" if meta["low"] is not None else ""]
        limits.append(f"to {meta['high']:g}" if meta["high"] is not None else "")
        limits.append("one of " + ", ".join(meta["choices"]) if meta["choices"] else "")
        fits = " ".join(limit for limit in limits if limit)
        rows.append(f"| `{variable}` | {shown} | {meta['help'].replace('|', ',')}{f' ({fits})' if fits else ''} |")
    return rows


def _print_checks(checks: list[Check]) -> None:
    for section, group in groupby(checks, key=lambda check: check.section):
        print(section)
        for check in group:
            sign = "✓" if check.ok else "✗" if check.needed else "·"
            print(f"  {sign} {check.name:<22} {check.says}")
            if check.cure:
                print(f"    {'':<22} → {check.cure}")


def _print_settings(listed: list[dict[str, object]]) -> None:
    if listed:
        print("thiết lập / settings")
    for entry in listed:
        print(f"    {entry['variable']!s:<28} {entry['value']!s:<24} ({entry['from']}) {entry['help']}")
