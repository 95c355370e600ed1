"""Không khí / Air: VN_AQI of stations and communes, forecast, episodes, the sensors' state. docs/guides/air.md."""

from services.city.domain import Clocked, Derivation, Domain, Panel, formulas, properties
from services.domains.air import derive, vn_aqi
from services.domains.air.derive import FOLDER, HOUR
from services.domains.air.endpoints import router
from services.domains.air.headline import headline
from tram.clock import DAY

MINUTE = HOUR // 60

DOMAIN = Domain(
    name="air",
    labels={"vi": "Không khí", "en": "Air"},
    properties=properties(FOLDER),
    formulas=formulas(FOLDER),
    router=router,
    operations=frozenset({"observations.read", "open.read", "data.export"}),
    folder=FOLDER,
    headline=headline,
    derivations=(
        Derivation("hourly", frozenset(vn_aqi.POLLUTANTS), HOUR, 2 * MINUTE, derive.hourly),
        Derivation("daily", frozenset(vn_aqi.POLLUTANTS), DAY, 10 * MINUTE, derive.daily, offset=7 * HOUR),
    ),
    clocked=(Clocked("forecast", 300.0, derive.forecasts),),
    panels=(Panel("air-stations", {"vi": "Trạm không khí", "en": "Air stations"}, "/api/air/stations"),),
)  # fmt: skip
