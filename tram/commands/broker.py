"""`tram broker`: mosquitto's files."""

import argparse
from pathlib import Path

from tram.commands._identity import desk
from tram.errors import SettingsError
from tram.runtime import brokerfiles
from tram.settings import Settings

HELP = "mosquitto's files: config, write"
OPERATION = "server.keys"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to write, and where."""
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    config = what.add_parser("config", help="make mosquitto.conf, passwd, rules.json and the gateway's password")
    config.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; off loopback it needs --cert and --key"
    )
    config.add_argument("--port", type=int, default=1883)
    config.add_argument("--cert", default="", help="file of the TLS certificate chain")
    config.add_argument("--key", default="", help="file of its private key")
    config.add_argument("--no-debug", action="store_true", help="log no refused publishes and subscriptions")
    config.add_argument("--plugin", default="", help="file of the dynamic-security plugin; without: searched for")
    what.add_parser("write", help="write passwd anew now, and tell mosquitto; the worker does it by itself")
    for one in what.choices.values():
        one.add_argument("--folder", type=Path, help="where; without: TRAM_BROKER_FILES")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Does it."""
    folder = args.folder or (Path(settings.broker_files) if settings.broker_files else None)
    if folder is None:
        raise SettingsError("say where: --folder, or TRAM_BROKER_FILES")
    with desk(settings, OPERATION) as at:
        if args.what == "config":
            made = brokerfiles.configure(
                folder,
                host=args.host,
                port=args.port,
                cert=args.cert,
                key=args.key,
                debug=not args.no_debug,
                plugin=args.plugin,
            )
            print(f"{folder / 'mosquitto.conf'}: {'made' if made else 'left as it is'}")
        changed = brokerfiles.write(at.conn, folder, at.now)
        print(f"{folder / 'passwd'}: {'written' if changed else 'up to date'}")
        at.note("broker", {"folder": str(folder), "changed": changed})
    if args.what == "config":
        scheme = "mqtts" if args.cert else "mqtt"
        print(f"gateway: TRAM_MQTT_URL={scheme}://gateway:<{folder / 'gateway.password'}>@{args.host}:{args.port}")
        print(f"worker:  TRAM_BROKER_FILES={folder} TRAM_BROKER_LOG={folder / 'mosquitto.log'}")
    return 0
