"""A weak link for one browser: a network namespace behind a veth pair, narrowed by tbf, lossy by nftables' numgen.

Needs root, iproute2 and nftables; `why_not()` says what is missing. Everything is removed again, also after a failure.

A Chromium drops what it is loading when an address of its machine comes or goes (net::ERR_NETWORK_CHANGED), on loopback
too. So where tests run in several processes, `links_of_workers` makes a link for each of them before there is any
browser, and no test makes or removes one while another's pages load.
"""

import itertools
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

READY = "TRAM_X_TEST_LINKS"
"""Tells worker processes of their links, or why there are none."""
_numbers = itertools.count(1)
_taken: set[str] = set()


def run(*command: str) -> None:
    """Runs a command; its own words are the error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def why_not() -> str | None:
    """Why links cannot be made weak here; None when they can."""
    told = os.environ.get(READY)
    if told:
        return json.loads(told)["why_not"] or None
    if os.geteuid() != 0:
        return "NO WEAK LINKS: network namespaces need root"
    for tool, package in (("ip", "iproute2"), ("tc", "iproute2"), ("nft", "nftables")):
        if shutil.which(tool) is None:
            return f"NO WEAK LINKS: {tool} is missing (Debian: {package})"
    try:
        with weak_link() as link:
            link.narrow(200)
            link.lose(0.05)
    except RuntimeError as error:
        return f"NO WEAK LINKS: {error}"
    return None


@dataclass
class Link:
    """The link between the server's side (`here`) and the namespace's (`there`)."""

    name: str
    here: str
    there: str
    device: str
    inner: str

    def inside(self, *command: str) -> None:
        """Runs a command in the namespace."""
        run("ip", "netns", "exec", self.name, *command)

    def narrow(self, kbit: int, *, buffer_ms: int = 300) -> None:
        """Both directions carry so much; what does not fit waits at most `buffer_ms`, then is dropped."""
        shape = ["root", "tbf", "rate", f"{kbit}kbit", "burst", "4kb", "latency", f"{buffer_ms}ms"]
        run("tc", "qdisc", "replace", "dev", self.device, *shape)
        self.inside("tc", "qdisc", "replace", "dev", self.inner, *shape)

    def widen(self) -> None:
        """No more narrowing."""
        for command in (["tc", "qdisc", "del", "dev", self.device, "root"],):
            subprocess.run(command, capture_output=True, timeout=20)
        subprocess.run(
            ["ip", "netns", "exec", self.name, "tc", "qdisc", "del", "dev", self.inner, "root"],
            capture_output=True, timeout=20,
        )  # fmt: skip

    def lose(self, share: float, what: str = "meta l4proto udp") -> None:
        """That share of the UDP packets of either direction is lost, at random.

        Where they arrive, not where they leave: a packet dropped on its way out is an error (EPERM) to its sender, and
        Chromium then sends it again at once, so that hardly any is lost.
        """
        self.keep_all()
        if not share:
            return
        chance = f"numgen random mod 1000 < {round(share * 1000)}" if share < 1 else ""
        rule = f"{what} {chance} drop"
        for nft, device in ((("nft",), self.device), (("ip", "netns", "exec", self.name, "nft"), self.inner)):
            chain = f"{{ type filter hook ingress device {device} priority 0; }}"
            run(*nft, "add", "table", "netdev", self.name)
            run(*nft, "add", "chain", "netdev", self.name, "lose", chain)
            run(*nft, "add", "rule", "netdev", self.name, "lose", *rule.split())

    def silence(self) -> None:
        """Nothing at all passes, and nobody is told: what a radio link does. `keep_all` ends it."""
        self.lose(1.0, "meta protocol ip")

    def keep_all(self) -> None:
        """No more losses."""
        for nft in (("nft",), ("ip", "netns", "exec", self.name, "nft")):
            subprocess.run([*nft, "delete", "table", "netdev", self.name], capture_output=True, timeout=20)

    def down(self) -> None:
        """The cable is out."""
        run("ip", "link", "set", self.device, "down")

    def up(self) -> None:
        """It is in again."""
        run("ip", "link", "set", self.device, "up")

    def readdress(self, *, back: bool = False) -> None:
        """The station has another address all at once, as after a change of network; `back`: the first one again."""
        other = f"{self.here.rsplit('.', 1)[0]}.7"
        before, after = (other, self.there) if back else (self.there, other)
        # In this order: with its first address an interface loses the others of the same net.
        self.inside("ip", "addr", "del", f"{before}/24", "dev", self.inner)
        self.inside("ip", "addr", "add", f"{after}/24", "dev", self.inner)

    def mend(self) -> None:
        """As it was made."""
        self.keep_all()
        self.widen()
        self.up()
        self.inside("ip", "addr", "flush", "dev", self.inner, "scope", "global")
        self.inside("ip", "addr", "add", f"{self.there}/24", "dev", self.inner)

    def browser(self, folder: Path, chromium: str) -> str:
        """A command that runs Chromium in the namespace."""
        script = folder / f"chromium-{self.name}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {chromium} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return str(script)


@contextmanager
def weak_link() -> Iterator[Link]:
    """A namespace of its own, connected: the one that is ready for this process, or a fresh one."""
    link = _ready()
    if link is None or link.name in _taken:
        with _fresh() as link:
            yield link
        return
    _taken.add(link.name)
    try:
        yield link
    finally:
        link.mend()
        _taken.discard(link.name)


@contextmanager
def links_of_workers(count: int) -> Iterator[None]:
    """Makes a link for each of pytest-xdist's processes that are started inside it."""
    with ExitStack() as stack:
        reason, links = why_not(), []
        if reason is None:
            links = [stack.enter_context(_fresh()) for _ in range(count)]
        os.environ[READY] = json.dumps({"why_not": reason, "links": [asdict(link) for link in links]})
        stack.callback(os.environ.pop, READY, None)
        yield


def _ready() -> Link | None:
    told, worker = os.environ.get(READY), os.environ.get("PYTEST_XDIST_WORKER", "")
    if not told or not worker.startswith("gw"):
        return None
    links = json.loads(told)["links"]
    return Link(**links[int(worker[2:])]) if int(worker[2:]) < len(links) else None


@contextmanager
def _fresh() -> Iterator[Link]:
    n = next(_numbers)
    tag = f"{os.getpid() % 10_000}{n % 10}"
    subnet = f"10.{80 + n % 100}.{os.getpid() % 250}"
    link = Link(f"tram{tag}", f"{subnet}.1", f"{subnet}.2", f"tv{tag}", f"ti{tag}")
    run("ip", "netns", "add", link.name)
    try:
        run("ip", "link", "add", link.device, "type", "veth", "peer", "name", link.inner, "netns", link.name)
        # No address of its own making a second later, when somebody's page may be loading.
        run("ip", "link", "set", link.device, "addrgenmode", "none")
        run("ip", "addr", "add", f"{link.here}/24", "dev", link.device)
        run("ip", "link", "set", link.device, "up")
        link.inside("ip", "addr", "add", f"{link.there}/24", "dev", link.inner)
        link.inside("ip", "link", "set", link.inner, "up")
        link.inside("ip", "link", "set", "lo", "up")
        yield link
    finally:
        link.keep_all()
        subprocess.run(["ip", "netns", "del", link.name], capture_output=True, timeout=20)
        subprocess.run(["ip", "link", "del", link.device], capture_output=True, timeout=20)
