"""Giao thông / Traffic: flow, level of service, corridors, incidents, signal timing, counts. docs/guides/traffic.md."""

from services.city.domain import Derivation, Domain, Panel, formulas, properties
from services.domains.traffic import derive, network
from services.domains.traffic.endpoints import router
from services.domains.traffic.headline import headline
from services.domains.traffic.network import FOLDER
from services.jobs import Job
from tram.clock import SECOND

DOMAIN = Domain(
    name="traffic",
    labels={"vi": "Giao thông", "en": "Traffic"},
    properties=properties(FOLDER),
    formulas=formulas(FOLDER),
    router=router,
    operations=frozenset({"observations.read", "data.export", "city.configure"}),
    folder=FOLDER,
    headline=headline,
    derivations=(
        Derivation("state", frozenset(derive.MEASURED), derive.STEP, 20 * SECOND, derive.state),
        Derivation("passages", frozenset({"vehicle_passage"}), derive.STEP, 20 * SECOND, derive.passages),
    ),
    jobs=(Job("traffic.demo", 60.0, 30.0, network.demonstrate),),
    panels=(
        Panel("traffic-corridors", {"vi": "Tuyến đường", "en": "Corridors"}, "/api/traffic/corridors"),
        Panel("traffic-junctions", {"vi": "Nút giao", "en": "Junctions"}, "/api/traffic/junctions"),
    ),
)  # fmt: skip
