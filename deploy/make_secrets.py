"""Makes the secrets that docker-compose.yml mounts: `python -m deploy.make_secrets [folder]` (deploy/secrets).

Only what is missing is made; each file is readable by its owner and the containers' group alone. Random, never printed.
"""

import base64
import hashlib
import secrets
import sys
from pathlib import Path

ITERATIONS = 101
"""What mosquitto_passwd 2.0 uses; the passwords here are random, so guessing is hopeless at any number."""


def mosquitto_hash(password: str, salt: bytes) -> str:
    """A password as mosquitto's password_file has it: $7$ = PBKDF2-HMAC-SHA512 (mosquitto 2.0, lib/password_mosq.c)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def make(folder: Path) -> list[str]:
    """Makes what is missing; returns the names of the files made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[str] = []

    def once(name: str, text: str) -> str:
        file = folder / name
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(text + "\n", encoding="utf-8")
            # The containers run as other users; the folder itself lets nobody else in.
            file.chmod(0o444)
            made.append(name)
        return file.read_text(encoding="utf-8").strip()

    database = once("database_password", secrets.token_urlsafe(24))
    once("database_url", f"postgresql://tram:{database}@database/tram")
    once("secret_key", base64.b64encode(secrets.token_bytes(32)).decode())
    gateway = once("mqtt_password", secrets.token_urlsafe(24))
    once("mqtt_url", f"mqtt://gateway:{gateway}@broker:1883")
    health = once("mqtt_health_password", secrets.token_urlsafe(24))
    people = {"gateway": gateway, "health": health}
    once(
        "mosquitto_passwords",
        "\n".join(f"{name}:{mosquitto_hash(word, secrets.token_bytes(12))}" for name, word in people.items()),
    )
    return made


def main() -> int:
    """Returns the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("deploy/secrets")
    made = make(folder)
    print(f"{folder}: {'made ' + ', '.join(made) if made else 'all there'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
