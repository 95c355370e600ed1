"""What stands in the province: kinds of Things and river stations as typed tables, one row each."""

from dataclasses import dataclass

from devices.simulators import sources
from devices.simulators.kinds import Kind

KINDS = (
    Kind("air", "Cảm biến không khí", (("pm2_5", 1), ("pm10", 1), ("air_temperature", 1), ("relative_humidity", 1)),
         15_000, sources.air),
    Kind("station", "Trạm quan trắc không khí",
         (("pm2_5", 1), ("pm10", 1), ("no2", 1), ("so2", 1), ("co", 0), ("o3", 1), ("air_temperature", 1),
          ("relative_humidity", 1), ("air_pressure", 1)), 30_000, sources.air_station, in_communes=1, every=8),
    Kind("rain", "Trạm đo mưa", (("rainfall", 1), ("battery_level", 0)), 60_000, sources.rain_gauge),
    Kind("loop", "Vòng từ giao thông", (("traffic_count", 0), ("traffic_occupancy", 1), ("traffic_speed", 1)),
         20_000, sources.loop, in_wards=6, in_communes=0, extra={"period_seconds": 20}),
    Kind("road", "Điểm đếm xe", (("traffic_count", 0), ("traffic_occupancy", 1), ("traffic_speed", 1)),
         30_000, sources.loop, in_wards=0, every=2, extra={"period_seconds": 30}),
    Kind("meter", "Công tơ điện", (("active_power", 2), ("active_energy", 2), ("voltage", 1), ("power_factor", 3)),
         30_000, sources.meter),
    Kind("clinic", "Trạm y tế", (("air_temperature", 1), ("relative_humidity", 1), ("co2", 0),
                                 ("vaccine_fridge_temperature", 2), ("battery_level", 0)), 30_000, sources.clinic),
    Kind("tea", "Vườn chè", (("soil_moisture", 1), ("soil_temperature", 1), ("battery_level", 0)),
         60_000, sources.soil, in_wards=0, in_communes=1),
    Kind("noise", "Điểm đo tiếng ồn", (("sound_level", 1),), 15_000, sources.noise_level, in_wards=2, in_communes=0),
)  # fmt: skip
RIVER = Kind("river", "Trạm thủy văn", (("water_level", 2), ("battery_level", 0)), 30_000, sources.river, 0, 0)


@dataclass(frozen=True)
class Gauge:
    """A river station: its water in dry weather, alarm levels I-III and record, all metres; hours from the source.

    Levels of DOMAIN: III and Gia Bảy's I and III are the province's; the rest follows their spacing, and is marked so.
    """

    name: str
    river: str
    lon: float
    lat: float
    dry: float
    alarms: tuple[float, float, float]
    record: float
    lag: float
    verified: bool = False


GAUGES = (
    Gauge("Bắc Kạn", "sông Cầu", 105.83, 22.15, 129.1, (132.0, 133.0, 134.0), 134.6, 1.0),
    Gauge("Thác Giềng", "sông Cầu", 105.88, 22.10, 95.4, (96.5, 97.5, 98.5), 101.2, 1.5),
    Gauge("Chợ Mới", "sông Cầu", 105.78, 21.88, 54.6, (56.25, 57.25, 58.25), 61.0, 3.0),
    Gauge("Gia Bảy", "sông Cầu", 105.84, 21.60, 20.9, (25.0, 26.0, 27.0), 29.9, 6.0, verified=True),
    Gauge("Chã", "sông Cầu", 105.93, 21.38, 3.1, (8.0, 9.0, 10.0), 11.6, 9.0),
    Gauge("Núi Hồng", "sông Công", 105.55, 21.72, 62.0, (64.0, 65.0, 66.0), 67.8, 1.0),
    Gauge("Sông Công", "sông Công", 105.85, 21.46, 12.2, (14.5, 15.5, 16.5), 17.9, 4.0),
    Gauge("Chợ Chu", "sông Chu", 105.63, 21.91, 88.3, (90.0, 91.0, 92.0), 93.4, 1.5),
    Gauge("Giang Tiên", "sông Đu", 105.71, 21.68, 31.0, (33.0, 34.0, 35.0), 36.4, 2.0),
    Gauge("Đầu Đẳng", "sông Năng", 105.58, 22.41, 145.2, (147.0, 148.0, 149.0), 151.1, 2.5),
)
