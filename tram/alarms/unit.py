"""One rule at work over all its Things at once: readings and time in, changes of level out.

    readings -> newest of each input -> simple conditions -> each level's condition -> repeat, for -> the highest

The state is arrays; a batch is cut into rounds in which every Thing appears once, and each round is a few operations on
arrays.
What a Thing's level is depends on its readings in the order of their own times, not on when the engine ran.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tram.alarms.conditions import NEVER, NONE, Evaluator, Flags, Index, Memory, Times, evaluator
from tram.alarms.plan import Code, Fault, Plan
from tram.alarms.rules import NoData, Schedule
from tram.sensing import Micros

MOST_STEPS = 64
"""Most timers of one Thing that are looked at one by one between two readings; a longer silence skips the rest."""


class Transition(NamedTuple):
    """A rule's level at a Thing changed, and people shall know. Times in microseconds.

    Attributes:
        since: from when the new level's condition held (its end, when `level` is 0).
        at: when the level changed: `since` and the level's `for` after it.
        before, level: 0 is none.
        value: the number that decided; None where there is none.
    """

    rule: str
    version: int
    thing_id: int
    since: Micros
    at: Micros
    before: int
    level: int
    value: float | None


class Unit:
    """A rule's evaluators and state. Not thread-safe."""

    def __init__(self, plan: Plan, offset: Micros, born: Micros) -> None:
        """`offset`: local time ahead of UTC. `born`: now; Things without any reading are silent from then on."""
        self.plan = plan
        self.faults: dict[str, Fault] = {}
        self.late_readings = 0
        self.broken = False
        n, levels = len(plan.things), len(plan.rule.levels)
        self.memory = Memory(
            np.full((n, len(plan.inputs)), NEVER, np.int64), np.full((n, len(plan.inputs)), np.nan),
            np.zeros((n, len(plan.bound)), bool), np.full(n, born, np.int64),
        )  # fmt: skip
        more = self.memory.more
        more["clock"] = np.full(n, NEVER, np.int64)
        more["since"] = np.full((n, levels), NONE, np.int64)
        more["on"] = np.zeros((n, levels), bool)
        more["told"] = np.zeros(n, np.int8)
        more["late"] = np.zeros(n, bool)
        more["due"] = np.full(n, NONE, np.int64)
        self._evaluators = [evaluator(k, bound, offset, self._fault) for k, bound in enumerate(plan.bound)]
        for one in self._evaluators:
            one.prepare(self.memory)
        for index, level in enumerate(plan.rule.levels):
            if level.repeat:
                more[f"repeat{index}"] = np.full((n, level.repeat.times), NEVER, np.int64)
        self._timed: list[Evaluator] = [
            one for k, one in enumerate(self._evaluators) if isinstance(plan.bound[k].leaf, NoData | Schedule)
        ]
        self._for = np.array([level.for_.micros for level in plan.rule.levels], np.int64)
        self._silent = np.array([False, *(any(isinstance(plan.bound[k].leaf, NoData) for op, k in code if op == "leaf")
                                          for code in plan.code)])  # fmt: skip
        self._late = plan.rule.late.micros
        self.next_due = NONE
        self._wake(np.arange(n))

    # What comes in

    def apply(self, s: Index, column: Index, t: Times, v: NDArray[np.float64], now: Times) -> list[Transition]:
        """Readings: subject, input, their time, number, and when they were stored; in order of arrival."""
        order = np.lexsort((t, s))
        s, column, t, v, now = s[order], column[order], t[order], v[order], now[order]
        first = np.ones(len(s), bool)
        first[1:] = (s[1:] != s[:-1]) | (t[1:] != t[:-1])
        told: list[tuple[int, Transition]] = []
        # Readings of one Thing and time are one step: a condition over two of them sees both.
        step = np.cumsum(first) - 1
        heads = np.flatnonzero(first)
        subject = s[heads]
        new = np.ones(len(heads), bool)
        new[1:] = subject[1:] != subject[:-1]
        rank = np.arange(len(heads)) - np.maximum.accumulate(np.where(new, np.arange(len(heads)), 0))
        if len(rank) and rank[-1] == 0 and not rank.any():
            self._round(s, column, t, v, now, told)
        else:
            for rows in _by_rank(rank[step]):
                self._round(s[rows], column[rows], t[rows], v[rows], now[rows], told)
        return _ordered(told)

    def tick(self, now: Micros) -> list[Transition]:
        """Time has passed: what is due is looked at, each at the time it was due."""
        told: list[tuple[int, Transition]] = []
        if self.next_due <= now:
            due = self.memory.more["due"]
            for _ in range(MOST_STEPS):
                u = np.flatnonzero(due <= now)
                if not len(u):
                    break
                self._look(u, due[u], np.full(len(u), now, np.int64), told)
            self.next_due = int(due.min(initial=NONE))
        return _ordered(told)

    def settle(self, now: Micros) -> list[Transition]:
        """Says what differs from what people were told, after that was set from outside."""
        told: list[tuple[int, Transition]] = []
        clock = self.memory.more["clock"]
        u = np.flatnonzero(clock != NEVER)
        if len(u):
            self._look(u, clock[u], np.full(len(u), now, np.int64), told)
        return _ordered(told)

    def _round(
        self, s: Index, column: Index, t: Times, v: NDArray[np.float64], now: Times, told: list[tuple[int, Transition]]
    ) -> None:
        """Every subject once, with one or several inputs of one time."""
        memory, more = self.memory, self.memory.more
        known = memory.time[s, column]
        usable = (t >= known) & ~(np.isnan(v) & (t == known))
        if not usable.all():
            self.late_readings += int((~usable).sum())
            s, column, t, v, now, known = (x[usable] for x in (s, column, t, v, now, known))
            if not len(s):
                return
        start = np.ones(len(s), bool)
        start[1:] = s[1:] != s[:-1]
        heads = np.flatnonzero(start)
        u, moment, stored = s[heads], t[heads], now[heads]
        at = np.maximum(more["clock"][u], moment)
        due = more["due"]
        for _ in range(MOST_STEPS):
            waiting = np.flatnonzero(due[u] < at)
            if not len(waiting):
                break
            self._look(u[waiting], due[u[waiting]], stored[waiting], told)
        newer = np.zeros((len(u), memory.time.shape[1]), bool)
        number = ~np.isnan(v)  # what is no number is a sign of life, and changes no value
        new = (t > known) & number
        newer[(np.cumsum(start) - 1)[new], column[new]] = True
        memory.time[s, column] = t
        if number.all():
            memory.value[s, column] = v
        else:
            memory.value[s[number], column[number]] = v[number]
        for one in self._evaluators:
            one.sampled(memory, u, newer)
        more["late"][u] = stored - moment > self._late
        self._look(u, np.maximum(more["clock"][u], moment), stored, told, np.asarray(newer.any(axis=1)))
        self.next_due = min(self.next_due, int(due[u].min(initial=NONE)))

    # What follows

    def _look(
        self, u: Index, at: Times, now: Times, told: list[tuple[int, Transition]], sampled: Flags | None = None
    ) -> None:
        """Finds the level of these subjects at these times."""
        memory, more = self.memory, self.memory.more
        for k, one in enumerate(self._evaluators):
            memory.holds[u, k] = one.evaluate(memory, u, at, now)
        holds = memory.holds[u]
        since, level = more["since"][u], np.zeros(len(u), np.int8)
        for index, code in enumerate(self.plan.code):
            raw = _combined(code, holds)
            counted = self._counted(index, u, at, raw, sampled)
            begun = since[:, index]
            base = raw if counted is None else raw & (counted | (begun != NONE))
            begun = np.where(base, np.where(begun == NONE, at, begun), NONE)
            since[:, index] = begun
            on = base & (at - begun >= self._for[index])
            more["on"][u, index] = on
            level[on] = index + 1
        more["since"][u] = since
        more["clock"][u] = at
        self._wake(u)
        before = more["told"][u]
        if not (level != before).any():
            return
        silent = self._silent[level]
        tell = np.flatnonzero((level < before) | ((level > before) & (~more["late"][u] | silent)))
        for i in tell.tolist():
            told.append((int(at[i]), self._transition(int(u[i]), int(at[i]), int(before[i]), int(level[i]), since[i])))
        more["told"][u[tell]] = level[tell]

    def _counted(self, index: int, u: Index, at: Times, raw: Flags, sampled: Flags | None) -> Flags | None:
        """Whether the condition held at enough readings; None: the level does not ask."""
        repeat = self.plan.rule.levels[index].repeat
        if repeat is None:
            return None
        ring = self.memory.more[f"repeat{index}"]
        if sampled is not None:
            add = raw & sampled
            ring[u[add]] = np.concatenate([ring[u[add], 1:], at[add, None]], axis=1)
        return np.asarray(ring[u, 0] >= at - repeat.within.micros)

    def _wake(self, u: Index) -> None:
        """When each must be looked at again without a reading."""
        memory, more = self.memory, self.memory.more
        since, on = more["since"][u], more["on"][u]
        due = np.where((since != NONE) & ~on, since + self._for, NONE).min(axis=1, initial=NONE)
        clock = np.maximum(more["clock"][u], memory.born[u])
        for one in self._timed:
            moment = one.due(memory, u, clock)
            if moment is not None:
                due = np.minimum(due, moment)
        more["due"][u] = due
        self.next_due = min(self.next_due, int(due.min(initial=NONE)))

    def _transition(self, subject: int, at: Micros, before: int, level: int, since: Times) -> Transition:
        begun = int(since[level - 1]) if level else at
        reached = begun + int(self._for[level - 1]) if level > before else at
        return Transition(
            self.plan.rule.id, self.plan.version, int(self.plan.things[subject]), begun, reached, before, level,
            self._number(subject, level or before),
        )  # fmt: skip

    def _number(self, subject: int, level: int) -> float | None:
        """What decided it, where one number did."""
        column = self.plan.decisive(level)
        value = float("nan") if column is None else float(self.memory.value[subject, column])
        return None if value != value else value

    def _fault(self, fault: Fault) -> None:
        self.faults.setdefault(fault.where, fault)

    # Its state, to be kept

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array of the state; the first axis is the subject."""
        memory = self.memory
        return {"time": memory.time, "value": memory.value, "holds": memory.holds, "born": memory.born, **memory.more}

    def take_over(self, things: NDArray[np.int64], arrays: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Takes the state of Things that an earlier unit of the same rule and version had; which subjects it knew."""
        mine = self.arrays()
        fits = set(mine) == set(arrays) and all(
            arrays[name].shape[1:] == own.shape[1:] and arrays[name].dtype == own.dtype for name, own in mine.items()
        )
        both, here, there = np.intersect1d(self.plan.things, things, assume_unique=True, return_indices=True)
        known = np.zeros(len(self.plan.things), bool)
        if fits and len(both):
            for name, own in mine.items():
                own[here] = arrays[name][there]
            known[here] = True
            self.next_due = int(mine["due"].min(initial=NONE))
        return known

    def levels(self) -> NDArray[np.int8]:
        """What people were told last, of each subject."""
        return np.asarray(self.memory.more["told"], np.int8)


def _combined(code: Code, holds: Flags) -> Flags:
    stack: list[Flags] = []
    for op, k in code:
        if op == "leaf":
            stack.append(holds[:, k])
            continue
        found = stack.pop()
        for _ in range(k - 1):
            other = stack.pop()
            found = found & other if op == "all" else found | other
        stack.append(found)
    return stack[0]


def _by_rank(rank: Index) -> Iterator[Index]:
    """The rows of rank 0, then of rank 1, …: each in order."""
    order = np.argsort(rank, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(rank[order])) + 1)


def _ordered(told: list[tuple[int, Transition]]) -> list[Transition]:
    told.sort(key=lambda one: one[0])  # stable: of one Thing they stay in order
    return [transition for _, transition in told]
