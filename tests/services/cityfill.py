"""A province for the pages of the city services: weeks of history up to now, computed as the worker does it.

Air with bad hours and a station without dust, a river that rises over alarm level I, a corridor with a jam, noise by
day and night. Values are functions of the time of day: the pages look alike whenever the tests run.
"""

import time

import numpy as np

from services.domains.rivers import config
from services.domains.traffic import network
from tests.domains.world import HOUR, MINUTE, catch_up, clock, store, thing
from tram.clock import DAY
from tram.settings import Settings
from tram.store import areas
from tram.store.database import Connection

STATIONS = (
    ("aq-gang-thep", "Trạm Gang Thép", 105.868, 21.553, 1.9),
    ("aq-quan-trieu", "Trạm Quan Triều", 105.800, 21.622, 1.3),
    ("aq-song-cong", "Trạm Sông Công", 105.850, 21.470, 1.1),
    ("aq-pho-yen", "Trạm Phổ Yên", 105.875, 21.415, 0.8),
    ("aq-dai-tu", "Trạm Đại Từ", 105.640, 21.630, 0.55),
    ("aq-dinh-hoa", "Trạm Định Hoá", 105.640, 21.905, 0.4),
    ("aq-bac-kan", "Trạm Bắc Kạn", 105.835, 22.147, 0.45),
)  # fmt: skip
RIVERS = (
    ("river-thac-gieng", "Trạm thuỷ văn Thác Giềng", 105.880, 22.100, 95.4, 0.9, 4.5),
    ("river-cho-moi", "Trạm thuỷ văn Chợ Mới", 105.780, 21.880, 54.6, 1.4, 3.0),
    ("river-gia-bay", "Trạm thuỷ văn Gia Bảy", 105.840, 21.600, 22.4, 3.4, 0.0),
    ("river-cha", "Trạm thuỷ văn Chã", 105.930, 21.380, 3.1, 1.2, -3.0),
)  # fmt: skip
LOOPS = 5
SERVICES = ("air", "rivers", "traffic", "noise")


def fill_city(conn: Connection, *, days: int = 29) -> int:
    """Stores and computes everything, commits; the present in microseconds. 29 `days` of air give it a forecast."""
    now = time.time_ns() // 1000
    # An hour of air is computed some minutes after its end: before these have passed it would not be there yet.
    settled = max(now, now // HOUR * HOUR + 10 * MINUTE)
    for name in SERVICES:
        catch_up(conn, name, now)  # their readers begin here: else they would begin with the last three days
    _air(conn, now, range(days * 24, 24, -1))
    catch_up(conn, "air", settled)
    areas.seed(conn)  # so that the estimates of all communes are computed for the last day alone
    _air(conn, now, range(24, 0, -1))
    _rivers(conn, now)
    _traffic(conn, now)
    _noise(conn, now)
    conn.commit()
    for name in SERVICES:
        catch_up(conn, name, settled if name == "air" else now)
    clock(conn, "air", "forecast", settled)
    clock(conn, "rivers", "forecast", now)
    return now


def _local(times: np.ndarray) -> np.ndarray:
    """Hour of the local day."""
    return ((times + 7 * HOUR) % DAY) / HOUR


def _wobble(times: np.ndarray, period: float) -> np.ndarray:
    """A slow wave of that many days, 0 to 1: no two weeks are the same."""
    return 0.5 + 0.5 * np.sin(2 * np.pi * times / (period * DAY))


def _air(conn: Connection, now: int, ago: range) -> None:
    """One value an hour; `ago` are the hours."""
    times = now // HOUR * HOUR - HOUR * np.array(ago) + 30 * MINUTE
    day = 1 + 0.45 * np.cos(2 * np.pi * (_local(times) - 7) / 24)
    weather = 0.5 + 0.9 * _wobble(times, 6.3) * _wobble(times, 2.9)
    for name, label, longitude, latitude, factor in STATIONS:
        units = dict.fromkeys(("pm2_5", "pm10", "o3", "no2"), "ug/m3")
        ids = thing(conn, name, units, (longitude, latitude), label=label, kind="station")
        dust = 38 * factor * day * weather
        for property, values in (("pm2_5", dust), ("pm10", 1.6 * dust + 10), ("no2", 30 * factor * day),
                                 ("o3", 60 + 40 * np.sin(2 * np.pi * (_local(times) - 8) / 24))):  # fmt: skip
            kept = np.ones(len(times), bool)
            if name == "aq-dai-tu":
                kept[-14:-6] = False  # a gap that stays one
            if property in ("no2", "o3") and name != "aq-gang-thep":
                continue
            store(conn, ids[property], times[kept], np.round(values[kept], 1))
    gases = thing(conn, "aq-khi", {"o3": "ug/m3"}, (105.75, 21.75), label="Trạm khí Phú Lương", kind="station")
    store(conn, gases["o3"], times, np.full(len(times), 70.0))


def _rivers(conn: Connection, now: int) -> None:
    step = 10 * MINUTE
    times = now // step * step - step * np.arange(14 * 144, -1, -1)
    for name, label, longitude, latitude, dry, height, lead in RIVERS:
        ids = thing(conn, name, {"water_level": "m"}, (longitude, latitude), label=label, kind="river")
        ago = (now - times) / HOUR - lead  # hours before the present, of the water that comes here
        rise = height * (np.exp(-0.5 * (np.maximum(ago, 0) / 9) ** 2) + 0.5 * np.exp(-0.5 * ((ago - 160) / 20) ** 2))
        store(conn, ids["water_level"], times, np.round(dry + rise, 3))
    rain = thing(conn, "rain-1", {"rainfall": "mm"}, (105.84, 21.78), label="Trạm mưa Phú Lương", kind="rain")
    hours = (now - times[-400:]) / HOUR
    store(conn, rain["rainfall"], times[-400:], np.round(2.6 * np.exp(-0.5 * ((hours - 9) / 4) ** 2), 1))
    config.adopt(conn, Settings())


def _traffic(conn: Connection, now: int) -> None:
    step = 5 * MINUTE
    names = []
    last = now // step * step - step * np.arange(2 * 288, 0, -1)
    times = np.concatenate([last - 7 * DAY, last])
    hour = _local(times)
    rush = np.exp(-0.5 * ((hour - 7.5) / 1.1) ** 2) + np.exp(-0.5 * ((hour - 17) / 1.3) ** 2)
    for k in range(LOOPS):
        name = f"loop-cmt8-{k + 1}"
        names.append(name)
        at = (105.822 + 0.006 * k, 21.586 + 0.009 * k)
        units = {"traffic_count": "{veh}", "traffic_occupancy": "%", "traffic_speed": "km/h"}
        ids = thing(conn, name, units, at, kind="loop", properties={"period_seconds": 300},
                    label=f"Vòng từ Cách Mạng Tháng Tám {k + 1}")  # fmt: skip
        jam = np.exp(-0.5 * (((now - times) / MINUTE - 4 - 9 * (LOOPS - 2 - k)) / 14) ** 2) * (k < 4)
        load = 0.18 + 0.8 * rush
        store(conn, ids["traffic_count"], times, np.round(60 + 190 * load - 12 * jam))
        store(conn, ids["traffic_occupancy"], times, np.round(np.clip(5 + 18 * load + 45 * jam, 0, 95), 1))
        store(conn, ids["traffic_speed"], times, np.round(np.clip(52 - 22 * load - 34 * jam, 4, 60), 1))
    along = [{"thing": name, "km": 0.4 + 1.1 * k} for k, name in enumerate(names)]
    given = {
        "vi": "Đường Cách Mạng Tháng Tám", "en": "Cach Mang Thang Tam street", "km": 5.2, "lanes": 2,
        "capacity": 3600.0, "free": 50.0, "detectors": along,
    }  # fmt: skip
    network.put_corridor(conn, "cmt8", "test", given, None)
    phases = [
        {"vi": "Hướng Đông - Tây", "en": "East - west", "detectors": names[:2], "saturation": 3600.0},
        {"vi": "Hướng Bắc - Nam", "en": "North - south", "detectors": names[2:4], "saturation": 3600.0},
    ]
    told = {"vi": "Ngã tư Đồng Quang", "en": "Dong Quang crossing", "phases": phases, "lost": 12.0}
    network.put_junction(conn, "dong-quang", "test", told, None)


def _noise(conn: Connection, now: int) -> None:
    step = 15 * MINUTE
    times = now // step * step - step * np.arange(9 * 96, 0, -1) + MINUTE
    by_day = 9 * np.exp(-0.5 * ((_local(times) - 13) / 5) ** 2)
    points = (("Ngã tư Đồng Quang", 64.0), ("Bệnh viện Trung ương", 54.0), ("Chợ Thái", 60.5))
    for k, (label, level) in enumerate(points):
        ids = thing(conn, f"noise-{k + 1}", {"sound_level": "dB[SPL]"}, (105.83 + 0.012 * k, 21.59 - 0.008 * k),
                    label=f"Điểm ồn {label}", kind="noise")  # fmt: skip
        store(conn, ids["sound_level"], times, np.round(level + by_day + 1.5 * np.sin(times / HOUR), 1))
