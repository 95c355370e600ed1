"""The telehealth process that the pages' tests and bench/reconnect.py talk to, and its people."""

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from telehealth.messages import Role
from telehealth.tokens import Grant, Keyring, parse_keys
from tests.people import ADMIN
from tests.people import token as personal_token
from tests.servers.consult import ConsultServer, consult_server
from tests.waiting import until
from tram.identity.claims import parse_grant

ROOT = Path(__file__).parents[2]
PEOPLE = {
    "doctor": (Role.DOCTOR, "BS. Trần Minh Quân", "BV Trung ương Thái Nguyên"),
    "station": (Role.STATION, "Đd. Nông Thị Lan", "Trạm y tế Thần Sa"),
    "specialist": (Role.SPECIALIST, "BSCKII. Trần Thu Hà", "BV A Thái Nguyên"),
    "monitor": (Role.STATION, "Máy theo dõi", "Trạm y tế Thần Sa"),
}
# Chromium has no way to hand its peer connections out; getStats is asked of those the page makes.
NOTE_PEERS = """
window.peers = window === top ? [] : top.peers;
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.peers.push(this) }
};
"""


@dataclass
class Ward:
    """A telehealth process, whose rooms outlive it."""

    home: Path
    database: str
    key: str
    stack: ExitStack = field(default_factory=ExitStack)
    port: int = 0
    server: ConsultServer | None = None
    host: str = "127.0.0.1"

    @property
    def ring(self) -> Keyring:
        return parse_keys(self.key)

    def start(self) -> None:
        """Starts it, the second time on the port it had."""
        environment = {
            "TRAM_DATABASE_URL": self.database,
            "TRAM_TELEHEALTH_KEYS": self.key,
            "TRAM_TELEHEALTH_PORT": str(self.port),
        }
        self.server = self.stack.enter_context(consult_server(self.home, environment, (), host=self.host))
        self.port = self.server.port
        until(self.ready, "telehealth is ready")

    def ready(self) -> bool:
        """Whether it answers, with its database."""
        try:
            with urllib.request.urlopen(f"{self.http}/readyz", timeout=60) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """As a power cut does."""
        assert self.server is not None
        self.server.kill()

    @property
    def http(self) -> str:
        return f"http://{self.host}:{self.port}"

    def token(
        self, consult: str, who: str, *, seconds: float = 290.0, person: str = "", role: Role | None = None
    ) -> str:
        """A join token of one of PEOPLE."""
        theirs, name, facility = PEOPLE[who]
        now = time.time()
        issued = now if seconds > 0 else now - 60.0
        return self.ring.sign(
            Grant(
                kind="join",
                consult=consult,
                role=role or theirs,
                # Somebody new in each consult: what one person may measure of the link in a minute is limited.
                person=person or f"{who}-{consult}",
                name=name,
                facility=facility,
                issued=issued,
                expires=now + seconds,
                jti=secrets.token_hex(12),
            )
        )

    def program(self, grant: str = "") -> str:
        """A personal token with an administrator's rights, or with those of a grant like `citizen`."""
        with psycopg.connect(self.database, autocommit=True) as conn:
            return personal_token(conn, parse_grant(grant) if grant else ADMIN)

    def kit(self, consult: str, scenario: str = "stable") -> subprocess.Popen[bytes]:
        """The headless station kit, as a monitor beside the nurse's page; ended with the ward."""
        command = [
            sys.executable,
            "-m",
            "devices.agents.station",
            "--server",
            self.http,
            "--vitals",
            f"simulated:{scenario}",
        ]
        process = subprocess.Popen(
            [*command, "--token", self.token(consult, "monitor")],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def end() -> None:
            process.kill()
            process.wait(60)

        self.stack.callback(end)
        return process
