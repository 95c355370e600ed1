"""Every address, size and limit: frozen, from the environment over one TOML file.

In the environment `X` holds the value, or `X_FILE` names a file that holds it.

The environment name of a field is `TRAM_` and its name in capitals; the TOML file (`tram.toml`, or what `TRAM_CONFIG`
names) uses the field's name. A wrong or missing value is a SettingsError whose one line names it and says what fits.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from tram.errors import SettingsError

PREFIX = "TRAM_"


def setting(
    default: Any, help: str, *, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:  # fmt: skip
    """A field of Settings with what `tram doctor` and the error messages say of it."""
    return field(
        default=default, metadata={"help": help, "low": low, "high": high, "choices": choices, "secret": secret}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force. `origin` says for each field that was set where it came from."""

    home: Path = setting(Path(".tram"), "folder of the embedded parts: database, run files, logs")
    environment: str = setting("demo", "demo people and data are refused in production", choices=("demo", "production"))
    log_level: str = setting("info", "how much is logged", choices=("debug", "info", "warning", "error"))

    database_url: str = setting("", "postgresql://… of a real database; empty: the embedded one", secret=True)
    database_port: int = setting(54321, "port of the embedded PostgreSQL on 127.0.0.1", low=0, high=65535)
    database_timeout: float = setting(10.0, "seconds to wait for a connection or a statement's lock", low=0.1, high=600)
    database_pool: int = setting(8, "largest number of connections of one process", low=1, high=200)

    mqtt_url: str = setting("", "mqtt[s]://[user:password@]host:port; empty: the embedded broker", secret=True)
    mqtt_port: int = setting(1883, "port of the embedded broker on 127.0.0.1", low=0, high=65535)
    mqtt_client_id: str = setting("tram-gateway", "name of the gateway's persistent session at the broker")
    mqtt_share: str = setting(
        "", "group of gateways that share the messages ($share), where the broker can; empty: none"
    )
    mqtt_ca: str = setting("", "file of the certificate authority for mqtts://; empty: the system's")

    http_host: str = setting("127.0.0.1", "address the web, the API and the live hub listen on")
    http_port: int = setting(8080, "port of the web, the API and the live hub", low=0, high=65535)
    http_timeout: float = setting(10.0, "seconds until an answer must have begun", low=0.1, high=600)
    http_body_bytes: int = setting(1_048_576, "largest request body that is read", low=1024, high=1_073_741_824)
    sta_body_bytes: int = setting(16_777_216, "largest body of a SensorThings request", low=1024, high=1_073_741_824)
    sta_filter_seconds: float = setting(0.8, "what a SensorThings $filter or $orderby may take", low=0.01, high=60)
    sta_mqtt: str = setting(
        "on",
        "SensorThings over MQTT: create, and publish what is stored; logged: the broker tells who subscribes to what",
        choices=("on", "logged", "off"),
    )
    http_proxy: str = setting(
        "", "addresses or networks, with commas, of the reverse proxy in front; needed to listen off loopback"
    )
    http_names: str = setting("", "host names, with commas, that people reach it by, beside localhost and 127.0.0.1")
    http_tls_cert: str = setting("", "file of the TLS certificate chain, to serve https without a proxy in front")
    http_tls_key: str = setting("", "file of the TLS certificate's private key")
    http_rate: int = setting(1_200, "most requests a minute of one principal, or of one address not signed in", low=10)

    live_viewers: int = setting(2_000, "most sockets of the live hub of one process; then new ones are refused", low=1)
    live_streams: int = setting(10_000, "most Datastreams of one live subscription", low=1, high=1_000_000)

    secret_key: str = setting(
        "",
        "32 bytes in base 64 that seal what must stay secret at rest; older ones behind it, with commas",
        secret=True,
    )
    session_idle: float = setting(1_800.0, "seconds after which an unused session is over", low=60, high=86_400)
    session_lifetime: float = setting(43_200.0, "seconds after which any session is over", low=300, high=2_592_000)
    totp_required: str = setting(
        "auto", "whether admins, doctors and auditors need a second factor; auto: in production",
        choices=("auto", "yes", "no"),
    )  # fmt: skip
    oidc_issuer: str = setting("", "issuer URL of an OpenID Connect provider to sign in at; empty: none")
    oidc_client_id: str = setting("", "this system's client id at the provider")
    oidc_client_secret: str = setting("", "its secret there; empty: a public client (PKCE protects it)", secret=True)
    oidc_name: str = setting("Tài khoản công vụ", "what the sign-in page calls the provider")
    oidc_claim: str = setting("groups", "claim that holds somebody's groups or roles; dots go into nested ones")
    oidc_roles: str = setting("", "claim value = role[:area=…|:facility=…], with semicolons between")
    oidc_scope: str = setting("openid profile email", "scopes asked of the provider")
    public_url: str = setting("", "https://… under which people reach the web; empty: what the browser says")
    broker_files: str = setting("", "folder of mosquitto's files, written when device credentials change; empty: none")
    broker_log: str = setting("", "mosquitto's log file, read for refused devices; empty: none")
    event_keep: float = setting(31_536_000.0, "seconds that events are kept", low=86_400)

    alarm_keep: float = setting(
        63_072_000.0, "seconds that alarms which are over, and their history, are kept", low=86_400
    )

    telehealth_host: str = setting("127.0.0.1", "address signalling and the clinical API listen on")
    telehealth_port: int = setting(8090, "port of signalling and the clinical API", low=0, high=65535)
    telehealth_name: str = setting("telehealth", "this telehealth process among TRAM_TELEHEALTH_PEERS")
    telehealth_peers: str = setting("", "all telehealth processes: name=wss://host/consult,…; empty: this one alone")
    telehealth_origins: str = setting("", "further origins whose pages may open a consult: https://host,…")
    telehealth_keys: str = setting("", "join-token keys, newest first: id:base64,…; a demo makes its own", secret=True)
    telehealth_ice: str = setting("", "STUN and TURN for clients: turn:host:3478,…; a LAN needs none")
    telehealth_turn_secret: str = setting("", "secret shared with coturn (use-auth-secret)", secret=True)
    telehealth_sockets: int = setting(2_000, "most signalling sockets; then new ones are refused", low=1, high=100_000)
    quality_days: int = setting(400, "days that records of call quality are kept", low=1, high=4_000)
    probe_host: str = setting("127.0.0.1", "address of /metrics, /healthz and /readyz of the gateway and the worker")
    gateway_probe_port: int = setting(8081, "port of the gateway's /metrics, /healthz, /readyz", low=0, high=65535)
    worker_probe_port: int = setting(8082, "port of the worker's /metrics, /healthz, /readyz", low=0, high=65535)

    alarms_probe_port: int = setting(8083, "port of the alarm process's /metrics, /healthz, /readyz", low=0, high=65535)

    provisioning: str = setting(
        "open", "Things never seen before: stored at once, held for an operator, or refused",
        choices=("open", "pending", "closed"),
    )  # fmt: skip
    payload_bytes: int = setting(262_144, "largest MQTT payload that is decoded", low=128, high=268_435_455)
    payload_readings: int = setting(10_000, "most readings of one payload", low=1, high=1_000_000)
    batch_rows: int = setting(10_000, "most observations of one transaction", low=1, high=1_000_000)
    batch_wait: float = setting(0.15, "longest time in seconds a reading waits for its batch to fill", low=0.0, high=10)
    buffer_messages: int = setting(
        20_000, "most messages held unacknowledged by the gateway; then it stops reading", low=1, high=10_000_000
    )
    buffer_bytes: int = setting(33_554_432, "most payload bytes held unacknowledged by the gateway", low=262_144)
    pending_messages: int = setting(
        1_000, "most messages kept of one Thing that waits to be accepted; then its oldest go, counted", low=1
    )
    pending_things: int = setting(10_000, "most Things that may wait to be accepted; then new ones are refused", low=1)
    clock_future: float = setting(300.0, "seconds a device may be ahead before its receive time is stored", low=0)
    clock_past: float = setting(7_776_000.0, "seconds a device may be behind before its receive time is stored", low=0)
    clock_late: float = setting(900.0, "seconds behind from which a reading is flagged late", low=0)
    dead_letters: int = setting(100_000, "most dead letters kept; then the oldest go, counted", low=0)

    smtp_host: str = setting("", "mail server that takes the notifications; empty: no email is sent")
    smtp_port: int = setting(587, "its port", low=1, high=65535)
    smtp_tls: str = setting("starttls", "how it is encrypted", choices=("starttls", "tls", "none"))
    smtp_ca: str = setting("", "file of the certificate authority of the mail server; empty: the system's")
    smtp_user: str = setting("", "sign-in name at the mail server; empty: none is needed")
    smtp_password: str = setting("", "password at the mail server", secret=True)
    smtp_from: str = setting("tram@localhost", "address that notifications come from")
    notify_private: str = setting(
        "refuse", "whether webhooks and push endpoints may be in private networks, and without TLS",
        choices=("refuse", "allow"),
    )  # fmt: skip
    notify_days: int = setting(90, "days that the delivery log and ended CAP documents are kept", low=1, high=4_000)
    mqtt_alarms: str = setting("on", "publish standing alarms, retained, under tram/v1/alarms/", choices=("on", "off"))
    cap_sender: str = setting(
        "tram@localhost.invalid", "who signs CAP alerts, unique in the world (an address); .invalid: marked as tests"
    )
    cap_sender_name: str = setting("Trung tâm Giám sát, điều hành thông minh", "the same, as people call it")

    observation_chunk: float = setting(86_400.0, "seconds of one chunk of the observation hypertable", low=3600)
    utc_offset: int = setting(7, "hours that the province's days are ahead of UTC; Vietnam: 7", low=-12, high=14)
    committed_keep: float = setting(3_600.0, "seconds that the committed stream is kept for its readers", low=60)

    origin: Mapping[str, str] = field(default_factory=dict, compare=False, metadata={"internal": True})


def described() -> Iterator[tuple[str, str, Any, Mapping[str, Any]]]:
    """(field name, environment name, default, metadata) of every setting, in order."""
    for f in fields(Settings):
        if not f.metadata.get("internal"):
            yield f.name, PREFIX + f.name.upper(), f.default, f.metadata


def load(environ: Mapping[str, str], directory: Path | None = None) -> Settings:
    """Reads the settings in force.

    Args:
        environ: usually os.environ.
        directory: where `tram.toml` is looked for; the working directory when None.

    Raises:
        SettingsError: a name that is no setting, a value that does not fit, or a file that cannot be read.
    """
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    types = {f.name: f.type for f in fields(Settings)}
    known = {name: meta for name, _, _, meta in described()}
    file = Path(environ["TRAM_CONFIG"]) if "TRAM_CONFIG" in environ else (directory or Path()) / "tram.toml"
    for name, value in _toml(file, required="TRAM_CONFIG" in environ).items():
        if name not in known:
            raise SettingsError(f"{file}: {name} is no setting; `tram doctor --settings` lists them")
        values[name], origin[name] = _fit(name, value, types[name], known[name], str(file)), str(file)
    for name, variable, _, meta in described():
        raw = _from_environment(environ, variable)
        if raw is not None:
            text, where = raw
            values[name], origin[name] = _fit(name, text, types[name], meta, where), where
    unknown = _unknown(environ)
    if unknown:
        raise SettingsError(f"{unknown} is no setting; `tram doctor --settings` lists them")
    return Settings(**values, origin=origin)


def _unknown(environ: Mapping[str, str]) -> str | None:
    names = {variable for _, variable, _, _ in described()}
    allowed = names | {f"{name}_FILE" for name in names} | {"TRAM_CONFIG"}
    # TRAM_X_… belongs to a part outside this process (tests, benchmarks, build), never to a setting.
    strangers = (n for n in environ if n.startswith(PREFIX) and n not in allowed and not n.startswith("TRAM_X_"))
    return next(strangers, None)


def _toml(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"TRAM_CONFIG: there is no file {file}") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None


def _from_environment(environ: Mapping[str, str], variable: str) -> tuple[str, str] | None:
    if variable in environ:
        if f"{variable}_FILE" in environ:
            raise SettingsError(f"{variable} and {variable}_FILE are both set: keep one")
        return environ[variable], variable
    path = environ.get(f"{variable}_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip(), f"{variable}_FILE"
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}_FILE: {path} cannot be read: {error}") from None


def _fit(name: str, value: Any, wanted: Any, meta: Mapping[str, Any], where: str) -> Any:
    shown = "(hidden)" if meta["secret"] else repr(value)
    kind = wanted if isinstance(wanted, type) else get_args(wanted)[0]
    try:
        if isinstance(value, bool) and kind is not bool:
            raise ValueError("a boolean")
        fitted = kind(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{where}: {name} must be of type {kind.__name__}, not {shown}") from None
    low, high, choices = meta["low"], meta["high"], meta["choices"]
    if choices and fitted not in choices:
        raise SettingsError(f"{where}: {name} must be one of {', '.join(choices)}, not {shown}")
    if isinstance(fitted, float) and fitted != fitted:
        raise SettingsError(f"{where}: {name} must be a number, not {shown}")
    if low is not None and fitted < low:
        raise SettingsError(f"{where}: {name} must be at least {low:g}, not {shown}")
    if high is not None and fitted > high:
        raise SettingsError(f"{where}: {name} must be at most {high:g}, not {shown}")
    return fitted
