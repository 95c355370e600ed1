"""Thuỷ văn / Rivers: levels against alarm levels, rate of rise, rain upstream, forecast. docs/guides/rivers.md."""

from services.city.domain import Clocked, Derivation, Domain, Panel, formulas, properties
from services.domains.rivers import config, derive
from services.domains.rivers.config import FOLDER
from services.domains.rivers.endpoints import router
from services.domains.rivers.headline import headline
from services.jobs import Job
from tram.clock import SECOND

DOMAIN = Domain(
    name="rivers",
    labels={"vi": "Thuỷ văn", "en": "Rivers and floods"},
    properties=properties(FOLDER),
    formulas=formulas(FOLDER),
    router=router,
    operations=frozenset({"observations.read", "data.export", "city.configure"}),
    folder=FOLDER,
    headline=headline,
    derivations=(
        derive.LEVEL,
        Derivation("rain", frozenset({"rainfall"}), derive.RAIN_STEP, 60 * SECOND, derive.rain),
    ),
    clocked=(Clocked("forecast", 60.0, derive.forecasts),),
    jobs=(Job("rivers.stations", 15.0, 30.0, config.adopt),),
    panels=(Panel("rivers-stations", {"vi": "Trạm thuỷ văn", "en": "River stations"}, "/api/rivers/stations"),),
)  # fmt: skip
