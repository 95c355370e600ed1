"""The path of live values with everything else beside it: how late values, alarms and calculated results are.

device -> mosquitto -> gateway -> store -> hub -> viewers of values
                                    |----> alarm process -> store -> hub -> viewers of alarms
                                    `----> worker (rollups, calculated Datastreams) -> store -> hub -> their viewers
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.live_stage import (
    ALARMING,
    EACH,
    VIEWERS,
    Beside,
    Viewers,
    family_cpu,
    messages,
    spread,
    stage,
    stored,
)
from bench.load import Publisher
from tests.servers.gateway import Gateway, cpu_seconds, wait_until
from tests.servers.mosquitto import Mosquitto
from tram.alarms.rules import read
from tram.store import alarm_rules, calculated, registry
from tram.store.calculated import Draft
from tram.store.database import Connection

DEFINITIONS = 100
WATCHING = 20
"""Viewers of all alarms."""
ALARM_EVERY = 1_251
"""Messages from one that raises an alarm to the next: always of another Thing."""
WARM = 10.0
"""Seconds of the same load before what is measured."""
START = 60.0


def prepare(conn: Connection) -> None:
    """Three rules over all Things, and calculated Datastreams over pairs of them."""
    conn.execute("UPDATE thing SET kind = 'bench'")
    above = {"type": "threshold", "property": "relative_humidity", "op": ">", "value": ALARMING - 2, "deadband": 5}
    rate = {"type": "rate", "property": "relative_humidity", "op": ">", "value": 1e6, "window": "1m"}
    silent = {"type": "no-data", "property": "relative_humidity", "after": "5m"}
    for id, when in (("bench-level", above), ("bench-rate", rate), ("bench-silent", silent)):
        rule = {"id": id, "vi": id, "en": id, "scope": {"kind": "bench"},
                "levels": [{"priority": "low", "when": when}], "storm": {"count": 100_000}}  # fmt: skip
        alarm_rules.put(conn, read(rule), "bench")
    ids = [row.id for row in registry.list_datastreams(conn, limit=2 * DEFINITIONS)]
    for n in range(DEFINITIONS):
        inputs = {"a": ids[2 * n], "b": ids[2 * n + 1]}
        draft = Draft(thing=f"calc-{n:03d}", property="bench_rise", unit="%", expression="mean(a, '1min') - b",
                      inputs=inputs)  # fmt: skip
        calculated.add(conn, draft, "m:bench")
    conn.commit()


def together(folder: Path, chosen: argparse.Namespace) -> None:
    """Everything."""
    with ExitStack() as stack:
        database, service = stack.enter_context(stage(folder, plain=chosen.plain))
        conn = database.connect()
        prepare(conn)
        broker = Mosquitto(folder / "mosquitto", {"autosave_interval": "1800"})
        broker.start()
        stack.callback(broker.stop)
        gateway = Gateway(folder / "gateway", database.url, broker.url)
        gateway.start()
        stack.callback(gateway.stop)
        processes: dict[str, Beside] = {}
        where = {"database_url": database.url, "mqtt_url": broker.url, "secret_key": database.settings.secret_key}
        for what, module, port in (
            ("alarm process", "services.alarms", "alarms_probe_port"),
            ("worker", "services.worker", "worker_probe_port"),
            ("simulator", "devices.simulators", ""),
        ):
            processes[what] = Beside(folder / module, module, **where, **({port: 0} if port else {}))
            stack.callback(processes[what].stop)
        wait_until(lambda: _begun(conn), START, "the alarm process and the worker have begun")
        things = [f"calc-{n:03d}" for n in range(DEFINITIONS)]
        viewers = {
            "values": Viewers([service.port], spread(VIEWERS, EACH)),
            "alarms": Viewers([service.port], [[] for _ in range(WATCHING)], values=False),
            "calculated": Viewers([service.port], [[thing] for thing in things]),
        }
        for one in viewers.values():
            stack.callback(one.close)
        cpu: dict[str, Callable[[], float]] = {
            "hub and API": service.cpu, "gateway": lambda: cpu_seconds(gateway.pid),
            "database": lambda: family_cpu(conn.info.backend_pid),
        }  # fmt: skip
        cpu |= {what: process.cpu for what, process in processes.items()}
        publisher = Publisher(broker.port)
        warm = int(chosen.rate * WARM)
        publisher.stream(messages(warm), chosen.rate)
        publisher.settle()
        stored(gateway, warm)
        for one in viewers.values():
            one.report()
        count = int(chosen.rate * chosen.seconds)
        before, start = {what: of() for what, of in cpu.items()}, time.perf_counter()
        publisher.stream(messages(count, ALARM_EVERY), chosen.rate)
        publisher.settle()
        took = time.perf_counter() - start
        used = {what: (of() - before[what]) / took for what, of in cpu.items()}
        stored(gateway, warm + count)
        time.sleep(3.0)  # what is late shall count as late, not as missing
        found = {what: one.report() for what, one in viewers.items()}
    values, alarms, results = found["values"], found["alarms"], found["calculated"]
    print(
        f"| {count / took:,.0f} observations/s to {VIEWERS} viewers of {EACH} Datastreams, alarm process, worker and "
        f"simulated province beside: publish to received, p99 | {values['p99']:.0f} ms (p50 {values['p50']:.0f}, "
        f"largest {values['max']:.0f}; {values['events'] / took:,.0f} events/s; {values['closed']} closed) | 250 ms |"
    )
    raised, sent = alarms["raised"] / WATCHING, -(-count // ALARM_EVERY)
    print(
        f"| in it: an observation's publication to its alarm at {WATCHING} viewers, largest of {raised:g} (of {sent}) "
        f"| {alarms['alarms_max']:.0f} ms (p50 {alarms['alarms_p50']:.0f}, p99 {alarms['alarms_p99']:.0f}) | 1 s, none "
        "missing |"
    )
    print(
        f"| in it: publication to the value of a calculated Datastream at a viewer, p99 | {results['p99']:.0f} ms (p50 "
        f"{results['p50']:.0f}; {results['events'] / took:,.0f} values/s of {DEFINITIONS}) | |"
    )
    shares = ", ".join(f"{what} {share:.0%}" for what, share in used.items())
    print(
        f"| in it: CPU | {shares}, viewers {sum(f['cpu'] for f in found.values()) / took:.0%} of a core | |", flush=True
    )


def _begun(conn: Connection) -> bool:
    row = conn.execute(
        "SELECT (SELECT count(*) FROM alarm_engine),"
        " (SELECT count(*) FROM committed_position WHERE reader IN ('alarms', 'calculated', 'rollup'))"
    ).fetchone()
    conn.rollback()
    return row is not None and row[0] > 0 and row[1] == 3
