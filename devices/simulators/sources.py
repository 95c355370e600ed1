"""How each kind of Thing comes to its values: pure functions of the world, the places and the times (ms)."""

import numpy as np

from devices.simulators.kinds import Group
from devices.simulators.noise import Floats, Ints, normal, uniform, wander
from devices.simulators.weather import HOUR, OFFSET, hour_of_day, season, weekday
from devices.simulators.world import World

MINUTE = 60_000
LOOP_AND_VEHICLE = 6.5
"""Metres: mean length of a vehicle (most are motorbikes and cars) and of a detector."""


def bump(hour: Floats, at: float, width: float) -> Floats:
    """A bell around an hour of the day, also across midnight; 1 at its top."""
    away = np.abs(hour - at)
    away = np.minimum(away, 24.0 - away)
    return np.asarray(np.exp(-0.5 * (away / width) ** 2))


def bustle(time: Ints, urban: Floats) -> Floats:
    """Traffic as a share of its weekday peak: two sharp peaks on working days, one broad hump at the weekend."""
    hour, rest_day = hour_of_day(time), weekday(time) >= 5
    work = (
        0.9 * bump(hour, 7.1, 0.8) + 0.25 * bump(hour, 11.4, 1.0) + bump(hour, 17.2, 1.0) + 0.22 * bump(hour, 13.5, 3)
    )
    rest = 0.35 * bump(hour, 9.5, 2.0) + 0.5 * bump(hour, 17.5, 2.2) + 0.2 * bump(hour, 20.5, 1.2)
    return np.minimum(0.04 + np.where(rest_day, rest, work) * (0.75 + 0.25 * urban), 1.1)


def _dust(world: World, g: Group, i: Ints, t: Ints) -> Floats:
    """PM2.5 in ug/m3: a province-wide background, traffic and evening fires, washed out by rain, held by still air."""
    lon, lat, urban = g.lon[i], g.lat[i], g.urban[i]
    hour = hour_of_day(t)
    sources = 15.0 + 14.0 * urban * bustle(t, urban) + 7.0 * bump(hour, 19.5, 2.0) + 5.0 * bump(hour, 5.5, 2.0)
    winter = 1.0 - 0.38 * season(t)
    washed = 1.0 / (1.0 + 0.25 * world.rain(lon, lat, t))
    local = np.exp(0.18 * wander(world.seed + 21, g.stream[i], t, 40 * MINUTE))
    dust = sources * winter * world.weather.still(lon, lat, t) * washed * local
    return dust * (1.0 + 5.0 * world.smog(lon, lat, t))


def _sensor(world: World, g: Group, i: Ints, t: Ints, column: int, spread: float) -> Floats:
    return spread * normal(world.seed + 31, g.stream[i] + column, t)


def air(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """pm2_5, pm10, air_temperature, relative_humidity."""
    lon, lat = g.lon[i], g.lat[i]
    fine = _dust(world, g, i, t)
    coarse = fine * (1.45 + 0.25 * uniform(world.seed, g.stream[i], 5)) + 4.0
    return [
        np.maximum(fine * (1 + _sensor(world, g, i, t, 0, 0.03)), 0.5),
        np.maximum(coarse * (1 + _sensor(world, g, i, t, 1, 0.04)), 1.0),
        world.weather.temperature(lon, lat, t) + 1.2 * g.urban[i] + _sensor(world, g, i, t, 2, 0.1),
        np.clip(world.humidity(lon, lat, t) + _sensor(world, g, i, t, 3, 0.6), 5.0, 100.0),
    ]


def air_station(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """pm2_5, pm10, no2, so2, co, o3, air_temperature, relative_humidity, air_pressure."""
    lon, lat, urban = g.lon[i], g.lat[i], g.urban[i]
    fine, coarse, warm, damp = air(world, g, i, t)
    cars = bustle(t, urban) * (0.35 + 0.65 * urban) * (1 + world.jam(lon, lat, t))
    still, hour = world.weather.still(lon, lat, t), hour_of_day(t)
    sun = np.clip(np.cos(2 * np.pi * (hour - 13.5) / 24), 0.0, None)
    smog = 1.0 + 1.5 * world.smog(lon, lat, t)
    no2 = (9.0 + 42.0 * cars) * still * smog
    return [
        fine,
        coarse,
        np.maximum(no2 + _sensor(world, g, i, t, 4, 1.2), 1.0),
        np.maximum((11.0 + 6.0 * still) * smog + _sensor(world, g, i, t, 5, 0.8), 0.5),
        np.maximum((420.0 + 1500.0 * cars) * still * smog + _sensor(world, g, i, t, 6, 25.0), 50.0),
        np.maximum(
            38.0 + (70.0 + 25.0 * season(t)) * sun * still**0.5 - 0.25 * no2 + _sensor(world, g, i, t, 7, 2.0), 2.0
        ),
        warm,
        damp,
        world.weather.pressure(lon, lat, t) + _sensor(world, g, i, t, 8, 0.15),
    ]


def rain_gauge(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """rainfall (mm of the last ten minutes, a bucket of 0.2 mm), battery_level."""
    lon, lat = g.lon[i], g.lat[i]
    fallen = sum(world.rain(lon, lat, t - k * 5 * MINUTE) for k in range(3)) / 3.0 / 6.0
    sun = np.clip(np.cos(2 * np.pi * (hour_of_day(t) - 13.0) / 24), -0.3, None)
    battery = 88.0 + 9.0 * sun + 3.0 * wander(world.seed + 22, g.stream[i], t, 12 * HOUR)
    return [np.floor(fallen / 0.2) * 0.2, np.clip(battery, 20.0, 100.0)]


def river(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """water_level in m, battery_level. Rain of the hours before, upstream, comes down with each station's lag."""
    dry, span, lag = g.site["dry"][i], g.site["record"][i] - g.site["dry"][i], g.site["lag"][i]
    risen = np.zeros(len(i))
    weights = np.exp(-np.arange(30) / 9.0)
    for k, weight in enumerate(weights / weights.sum()):
        then = t - ((lag + k) * HOUR).astype(np.int64)
        upstream = [world.weather.rain(g.lon[i] - 0.06 * s, g.lat[i] + 0.09 * s, then) for s in (0, 1, 2)]
        risen += weight * sum(upstream) / 3.0
    flood = world.flood_wave(t, lag)
    wet = 0.55 * span * (1.0 - np.exp(-risen / 9.0)) + 0.03 * span * (1.0 + season(t))
    level = dry + wet + np.maximum(span - wet, 0.0) * flood
    level += 0.01 * wander(world.seed + 23, g.stream[i], t, 20 * MINUTE) + _sensor(world, g, i, t, 0, 0.004)
    return [level, np.clip(92.0 + 4.0 * wander(world.seed + 24, g.stream[i], t, 12 * HOUR), 30.0, 100.0)]


def loop(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """traffic_count of the last period, traffic_occupancy, traffic_speed: q, o and v = q (L_v + L_d) / o."""
    lon, lat, urban = g.lon[i], g.lat[i], g.urban[i]
    capacity, free = 900.0 + 1100.0 * urban, 62.0 - 22.0 * urban
    place = 0.7 + 0.5 * uniform(world.seed, g.stream[i], 9)
    hindered = np.minimum(world.rain(lon, lat, t) / 40.0, 0.3)
    share = bustle(t, urban) * place * np.exp(0.12 * wander(world.seed + 25, g.stream[i], t, 8 * MINUTE))
    jam = world.jam(lon, lat, t)
    # In a jam the road gives what a queue discharges, however few want to pass.
    flow = np.minimum(share, 1.05) * capacity * (1.0 - jam) + 0.4 * capacity * jam
    speed = free * (1.0 - hindered) / (1.0 + 0.9 * np.minimum(share, 1.1) ** 4)
    speed = np.maximum(speed * (1.0 - 0.85 * jam) * (1 + _sensor(world, g, i, t, 0, 0.04)), 3.0)
    spread = flow * g.period / HOUR
    count = np.maximum(np.rint(spread + np.sqrt(spread) * normal(world.seed + 32, g.stream[i] + 1, t)), 0.0)
    occupancy = np.clip(
        flow * LOOP_AND_VEHICLE / (speed * 1000.0) * 100.0 * (1 + _sensor(world, g, i, t, 2, 0.05)), 0, 95
    )
    return [count, occupancy, speed]


def _load(world: World, g: Group, i: Ints, t: Ints) -> Floats:
    """A feeder's daily curve, 0.3 to 1.1 of its peak, cooling and heating included."""
    hour, urban = hour_of_day(t), g.urban[i]
    curve = 0.34 + 0.28 * bump(hour, 11.0, 2.2) + 0.5 * bump(hour, 19.3, 2.0) + 0.18 * bump(hour, 15.0, 2.5) * urban
    return curve * np.where(weekday(t) >= 5, 0.92, 1.0)


def meter(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """active_power in kW, active_energy in kW.h (a counter: it never goes back), voltage, power_factor."""
    peak = 120.0 + 480.0 * g.urban[i] + 200.0 * uniform(world.seed, g.stream[i], 9)
    warm = world.weather.temperature(g.lon[i], g.lat[i], t)
    weather = 1.0 + 0.02 * np.clip(warm - 27.0, 0, None) + 0.012 * np.clip(15.0 - warm, 0, None)
    power = peak * _load(world, g, i, t) * weather * (1 + 0.03 * wander(world.seed + 26, g.stream[i], t, 5 * MINUTE))
    # The counter integrates the curve alone: whole days by their mean, the day begun by ten-minute steps.
    days, rest = np.divmod(t + OFFSET, 24 * HOUR)
    steps = np.arange(0, 24 * 60, 10) * MINUTE
    curve = np.cumsum(_load(world, g, np.zeros(len(steps), np.int64), steps - OFFSET)) / 6.0
    today = np.interp(rest, np.append(0, steps + 10 * MINUTE), np.append(0.0, curve))
    energy = peak * 0.9 * ((days - 18_000) * curve[-1] + today)
    voltage = 231.0 - 7.0 * _load(world, g, i, t) + 1.2 * wander(world.seed + 27, g.stream[i], t, 3 * MINUTE)
    return [power, energy, voltage, np.clip(0.93 + 0.02 * wander(world.seed + 28, g.stream[i], t, HOUR), 0.7, 1.0)]


def clinic(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """air_temperature, relative_humidity, co2 indoors; vaccine_fridge_temperature (2 to 8 °C); battery_level."""
    hour = hour_of_day(t)
    open_hours = np.where(weekday(t) >= 6, 0.2, 1.0) * (bump(hour, 9.3, 1.6) + 0.7 * bump(hour, 15.0, 1.6))
    outdoors = world.weather.temperature(g.lon[i], g.lat[i], t)
    room = 0.45 * outdoors + 0.55 * 25.0 + 0.3 * wander(world.seed + 29, g.stream[i], t, 20 * MINUTE)
    people = open_hours * (0.6 + 0.8 * uniform(world.seed, g.stream[i], 9))
    fridge = 4.8 + 0.7 * np.sin(2 * np.pi * (t / (22 * MINUTE) + uniform(world.seed, g.stream[i], 8)))
    return [
        room + _sensor(world, g, i, t, 0, 0.05),
        np.clip(0.7 * world.humidity(g.lon[i], g.lat[i], t) + 10.0 + _sensor(world, g, i, t, 1, 0.4), 20.0, 98.0),
        430.0 + 520.0 * people + _sensor(world, g, i, t, 2, 12.0),
        fridge + 0.25 * open_hours + _sensor(world, g, i, t, 3, 0.03),
        np.clip(97.0 + 2.0 * wander(world.seed + 30, g.stream[i], t, 12 * HOUR), 40.0, 100.0),
    ]


def soil(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """soil_moisture (filled by the rain of three days, then drying), soil_temperature (the air's, late and damped)."""
    lon, lat = g.lon[i], g.lat[i]
    weights = np.exp(-np.arange(0, 72, 6) / 30.0)
    soaked = sum(w * world.rain(lon, lat, t - int(6 * k * HOUR)) for k, w in enumerate(weights))
    moisture = 21.0 + 6.0 * uniform(world.seed, g.stream[i], 9) + 19.0 * (1.0 - np.exp(-np.asarray(soaked) / 6.0))
    moisture -= 1.2 * np.clip(np.cos(2 * np.pi * (hour_of_day(t) - 14.0) / 24), 0, None)
    warmth = 0.35 * world.weather.temperature(lon, lat, t - 3 * HOUR) + 0.65 * (22.5 + 5.0 * season(t))
    return [
        np.clip(moisture + _sensor(world, g, i, t, 0, 0.15), 3.0, 60.0),
        warmth + _sensor(world, g, i, t, 1, 0.05),
        np.clip(85.0 + 6.0 * wander(world.seed + 33, g.stream[i], t, 24 * HOUR), 15.0, 100.0),
    ]


def noise_level(world: World, g: Group, i: Ints, t: Ints) -> list[Floats]:
    """sound_level: Leq of the period in dB; follows the traffic."""
    cars = bustle(t, g.urban[i]) * (1.0 + 0.5 * world.jam(g.lon[i], g.lat[i], t))
    wet = 2.0 * np.log10(1.0 + world.rain(g.lon[i], g.lat[i], t))
    level = 71.0 + 9.0 * np.log10(0.03 + cars) + wet + 1.2 * wander(world.seed + 34, g.stream[i], t, 2 * MINUTE)
    return [np.maximum(level + _sensor(world, g, i, t, 0, 0.8), 30.0)]
