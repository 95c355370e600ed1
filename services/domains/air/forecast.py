"""The next 24 hours of an hourly index, and how good that is beside persistence. Pure.

x(t + k) = m(hour of t + k) + r_k (x(t) - m(hour of t)): the station's usual day, and what is unusual now dying away. m
is the station's mean by hour of the day; r_k is fitted for each lead over all stations together by least squares. The
honest baseline is persistence: x(t + k) = x(t). Skill = 1 - RMSE of the forecast / RMSE of the baseline, measured on
the last days, which the fit has not seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METHOD = "usual-day-1"
LEADS = 24
FIT_DAYS, TEST_DAYS = 21, 7
LEAST_PAIRS = 50
"""Fewer pairs give no fit: then there is no forecast for that lead, rather than a guess."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt, and measured.

    Attributes:
        usual: shape (s, 24): mean by hour of the (local) day.
        keep: r_k, shape (LEADS,); NaN where there was too little.
        rmse, baseline: of forecast and persistence on the days kept aside, shape (LEADS,); NaN where there are none.
        pairs: how many comparisons each is of.
    """

    usual: Floats
    keep: Floats
    rmse: Floats
    baseline: Floats
    pairs: NDArray[np.int64]

    @property
    def skill(self) -> Floats:
        """1 is perfect, 0 as good as persistence, less than 0 worse."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1.0 - self.rmse / self.baseline


def fit(values: Floats, hours: NDArray[np.int64]) -> Model:
    """Learns from FIT_DAYS and measures on the TEST_DAYS after them.

    Args:
        values: hourly, shape (s, h), without a gap in time; NaN: none.
        hours: local hour of the day of each column, 0 to 23.
    """
    cut = max(values.shape[1] - TEST_DAYS * 24, 0)
    learnt = values[:, :cut]
    usual = _usual(learnt, hours[:cut])
    keep = np.full(LEADS, np.nan)
    rmse, baseline, pairs = np.full(LEADS, np.nan), np.full(LEADS, np.nan), np.zeros(LEADS, np.int64)
    odd = learnt - usual[:, hours[:cut]]
    for k in range(1, LEADS + 1):
        now, then = odd[:, :-k], odd[:, k:]
        both = ~(np.isnan(now) | np.isnan(then))
        if both.sum() >= LEAST_PAIRS:
            keep[k - 1] = np.clip((now[both] * then[both]).sum() / max((now[both] ** 2).sum(), 1e-12), 0.0, 1.0)
    for k in range(1, LEADS + 1):
        at = np.arange(cut, values.shape[1] - k)
        if not len(at) or np.isnan(keep[k - 1]):
            continue
        now, then = values[:, at], values[:, at + k]
        told = usual[:, hours[at + k]] + keep[k - 1] * (now - usual[:, hours[at]])
        both = ~(np.isnan(told) | np.isnan(then) | np.isnan(now))
        pairs[k - 1] = both.sum()
        if both.any():
            rmse[k - 1] = np.sqrt(((told - then)[both] ** 2).mean())
            baseline[k - 1] = np.sqrt(((now - then)[both] ** 2).mean())
    return Model(_usual(values, hours), keep, rmse, baseline, pairs)


def forecast(model: Model, now: Floats, hour: int) -> Floats:
    """The next LEADS hours of each station from its value now (shape (s,), at that local hour): shape (s, LEADS)."""
    ahead = (hour + 1 + np.arange(LEADS)) % 24
    return model.usual[:, ahead] + model.keep * (now - model.usual[:, hour])[:, None]


def _usual(values: Floats, hours: NDArray[np.int64]) -> Floats:
    there = ~np.isnan(values)
    day = np.eye(24)[hours] if len(hours) else np.zeros((0, 24))
    counts = there.astype(np.float64) @ day
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((np.where(there, values, 0.0) @ day) / counts)
