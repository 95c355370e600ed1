"""Alarm rules that a service brings along: put there once, and never again when somebody changed or deleted one."""

from services.city.domain import Domain
from services.jobs import Outcome
from tram.alarms.rules import Rule
from tram.settings import Settings
from tram.store import alarm_rules
from tram.store.database import Connection


def rules(domain: Domain) -> list[Rule]:
    """Those of alarms.toml. Raises RuleError."""
    return alarm_rules.read_toml((domain.folder / "alarms.toml").read_bytes())


class Seeds:
    """The worker's job."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def __call__(self, conn: Connection, settings: Settings) -> Outcome:
        """Adds the rules that never were; a deleted one is known still."""
        known = {one.id for one in alarm_rules.list_rules(conn, deleted=True)}
        for rule in rules(self._domain):
            if rule.id not in known:
                alarm_rules.put(conn, rule, "system", expected=0)
        return Outcome(0)
