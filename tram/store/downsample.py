"""Fewer points that draw the same line. Pure."""

import numpy as np
from numpy.typing import NDArray


def lttb(times: NDArray[np.int64], values: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Indices of the points to keep, by Largest Triangle Three Buckets (S. Steinarsson, 2013). All when they are few.

    Args:
        times: shape (n,), rising.
        values: shape (n,).
        points: at least 3 are kept of more than that.
    """
    n, points = len(times), max(points, 3)
    if n <= points:
        return np.arange(n)
    x, y = times.astype(np.float64) - float(times[0]), values
    edges = np.linspace(1, n - 1, points - 1).astype(np.intp)
    kept = np.empty(points, np.intp)
    kept[0], kept[-1] = 0, n - 1
    a = 0
    for bucket in range(points - 2):
        start, end = edges[bucket], edges[bucket + 1]
        after = edges[bucket + 2] if bucket + 2 < len(edges) else n
        mean_x, mean_y = x[end:after].mean(), y[end:after].mean()
        area = np.abs((x[a] - mean_x) * (y[start:end] - y[a]) - (x[a] - x[start:end]) * (mean_y - y[a]))
        a = int(start + area.argmax())
        kept[bucket + 1] = a
    return kept
