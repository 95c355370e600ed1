"""Who may see and change what through SensorThings: the one place that turns a decision about a caller into SQL."""

from dataclasses import dataclass

from services.sta.sql import TRUE, Sql


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller reaches.

    Attributes:
        areas: codes of the areas whose Things may be seen; None: all Things.
        public: whether Things opened to everybody are seen too.
        write: whether anything may be written.
        everywhere: whether also what belongs to no Thing (Sensors, Locations, …) may be written.
    """

    areas: frozenset[str] | None = None
    public: bool = True
    write: bool = False
    everywhere: bool = False

    def things(self) -> Sql | None:
        """A query of the ids of the Things that may be seen; None: all."""
        if self.areas is None:
            return None
        opened = " OR properties -> 'public' = 'true'::jsonb" if self.public else ""
        return Sql(f"SELECT id FROM thing WHERE area = ANY(%s::text[]){opened}", (sorted(self.areas),))

    def sees(self, template: str, alias: str) -> Sql:
        """The condition that a row may be seen: `template` has {e} for it and {things} for the query of `things`."""
        things = self.things()
        if things is None or not template:
            return TRUE
        return Sql(template.format(e=alias, things=things.text), things.params)


EVERYTHING = Access(write=True, everywhere=True)
