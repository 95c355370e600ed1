"""Tiếng ồn / Noise: Leq of hours, Lden of days. docs/guides/noise.md."""

from services.city.domain import Derivation, Domain, Panel, formulas, properties
from services.domains.noise import derive
from services.domains.noise.derive import FOLDER
from services.domains.noise.endpoints import router
from services.domains.noise.headline import headline
from tram.clock import DAY

DOMAIN = Domain(
    name="noise",
    labels={"vi": "Tiếng ồn", "en": "Noise"},
    properties=properties(FOLDER),
    formulas=formulas(FOLDER),
    router=router,
    operations=frozenset({"observations.read", "data.export"}),
    folder=FOLDER,
    headline=headline,
    derivations=(
        Derivation("hourly", frozenset({"sound_level"}), derive.HOUR, 2 * derive.MINUTE, derive.hourly),
        Derivation("daily", frozenset({"sound_level"}), DAY, 10 * derive.MINUTE, derive.daily, offset=7 * derive.HOUR),
    ),
    panels=(Panel("noise-points", {"vi": "Điểm đo tiếng ồn", "en": "Noise points"}, "/api/noise/points"),),
)
