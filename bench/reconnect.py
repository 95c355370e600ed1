"""How long until both see each other again: after half a minute without a link, on another network, after the server's
death, after loading the page again. Real pages in real browsers, the nurse's behind a link that is broken for her.

Seconds from the moment at which it could work again (the link is there, the other address is set, the server is ready,
the key is pressed) to the first of the pictures that move without a stall from then on, at BOTH ends. Promised: 1.5.

Both browsers share this machine with the server, and draw without a graphics card: by Chromium's own software, since an
emulated one (SwiftShader, as the tests have it) takes a core by itself.
"""

import argparse
import base64
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from tests.databases import Server
from tests.telehealth.scene import FLAGS, CannotError
from tests.web.far import FarCall, away_for, far_call
from tram.commands.migrate import folders
from tram.store.migrate import migrate

PLAIN = [*(flag for flag in FLAGS if "gpu" not in flag and "angle" not in flag), "--disable-gpu"]


def without_a_link(call: FarCall) -> float:
    """Half a minute of silence on the link, of which nobody is told."""
    away_for(call, 30)
    call.link.keep_all()
    return call.steady_again(time.time())


def another_network(call: FarCall) -> float:
    """The nurse's machine has another address, and then the first again."""
    call.link.readdress()
    took = call.steady_again(time.time())
    time.sleep(12.0)  # the way back is another such change; more than four in a minute would be taken for a bad link
    call.link.readdress(back=True)
    call.steady_again(time.time())
    time.sleep(12.0)
    return took


def server_killed(call: FarCall) -> float:
    """kill -9, and a new process where it was."""
    call.ward.kill()
    call.ward.start()
    return call.steady_again(time.time())


def loaded_again(call: FarCall) -> float:
    """The nurse presses F5."""
    began = time.time()
    call.nurse.reload(wait_until="commit")
    return call.steady_again(began)


WAYS: dict[str, Callable[[FarCall], float]] = {
    "30 s without a link": without_a_link,
    "another address": another_network,
    "server killed and started": server_killed,
    "page loaded again": loaded_again,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.reconnect", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        try:
            with server.database("plain") as database:
                with psycopg.connect(database.url) as conn:
                    migrate(conn, folders(), plain=True)
                key = f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}"
                with far_call(Path(folder), database.url, key, PLAIN) as call:
                    print("| | median s | worst s | of | asked for s |\n|---|---:|---:|---:|---:|")
                    for name, way in WAYS.items():
                        took = []
                        for _ in range(times):
                            took.append(way(call))
                            time.sleep(4.0)  # the next one meets a call that runs
                        print(f"| {name} | {median(took):.2f} | {max(took):.2f} | {times} | 1.5 |", flush=True)
                    print(f"load {os.getloadavg()[0]:.1f}")
        except CannotError as error:
            sys.exit(str(error))
        finally:
            server.close()


if __name__ == "__main__":
    main()
