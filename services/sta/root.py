"""The service root, with the conformance list: only what docs/sensorthings.md names a test for (OGC 18-088, 9.2.1)."""

from services.sta.model import SETS

_BASE = "http://www.opengis.net/spec/iot_sensing/1.1/req"
CONFORMANCE: tuple[str, ...] = tuple(
    f"{_BASE}/{name}"
    for name in (
        "datamodel/thing",
        "datamodel/location",
        "datamodel/historical-location",
        "datamodel/datastream",
        "datamodel/sensor",
        "datamodel/observed-property",
        "datamodel/observation",
        "datamodel/feature-of-interest",
        "datamodel/entity-control-information",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/status-code",
        "request-data/query-status-code",
        "request-data/orderby",
        "request-data/top",
        "request-data/skip",
        "request-data/count",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/built-in-query-functions",
        "request-data/pagination",
        "create-update-delete/create-entity",
        "create-update-delete/link-to-existing-entities",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-code",
        "create-update-delete/update-entity",
        "create-update-delete/update-entity-put",
        "create-update-delete/update-entity-jsonpatch",
        "create-update-delete/delete-entity",
        "create-update-delete/historical-location-auto-creation",
        "data-array/data-array",
    )
)


CREATES = f"{_BASE}/create-observations-via-mqtt/observations-creation"
RECEIVES = f"{_BASE}/receive-updates-via-mqtt/receive-updates"


def root(base: str, mqtt: list[str], *, logged: bool = False) -> dict[str, object]:
    """The document at the service root.

    Args:
        mqtt: addresses of the broker that takes Observations; none: nothing goes over MQTT.
        logged: that broker says who subscribes, so that topics with $select are served too: all of clause 14.
    """
    over = {CREATES: True, RECEIVES: logged}
    named = [*CONFORMANCE, *(name for name, held in over.items() if mqtt and held)]
    settings: dict[str, object] = {"conformance": named}
    settings |= {name: {"endpoints": mqtt} for name in over if name in named}
    return {
        "value": [{"name": name, "url": f"{base}/{name}"} for name in SETS],
        "serverSettings": settings,
    }
