"""The public page and its map: plain HTML and SVG, without script, so that they need nothing and embed anywhere.

Colours are presentation attributes, which the content security policy allows; the layout is public.css.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from services.domains.air.bands import Band, band, bands
from services.domains.air.schemas import PublicPage

NONE_COLOUR = "#d0d4da"
WIDTH = 720.0
DETAIL = 1.2
"""Pixels: corners of a border that are nearer to each other than this are left out."""
WORDS = {
    "vi": {
        "title": "Chất lượng không khí Thái Nguyên", "place": "Xã, phường", "index": "VN_AQI", "band": "Mức",
        "none": "chưa có chỉ số", "told": "Cập nhật", "how": "Ước tính bằng", "error": "sai số trung bình",
        "advice": "Khuyến cáo", "children": "Trẻ em", "elderly": "Người cao tuổi", "athletes": "Người tập thể thao",
        "everybody": "Mọi người", "other": "English", "measured": "không phải số đo tại chỗ",
        "schematic": "Bản đồ là sơ đồ, không phải ranh giới đo đạc",
    },
    "en": {
        "title": "Air quality in Thái Nguyên", "place": "Commune, ward", "index": "VN_AQI", "band": "Level",
        "none": "no index", "told": "Updated", "how": "Estimated by", "error": "typical error",
        "advice": "Advice", "children": "Children", "elderly": "Elderly", "athletes": "Athletes",
        "everybody": "Everybody", "other": "Tiếng Việt", "measured": "not measured on the spot",
        "schematic": "The map is schematic: its borders are not surveyed",
    },
}  # fmt: skip


def drawn_map(
    shapes: Sequence[tuple[str, Mapping[str, Any] | None]], page: PublicPage, language: str, *, schematic: bool
) -> str:
    """The communes in the official colours. `shapes`: code and GeoJSON geometry; `schematic`: marked on the map."""
    values = {place.area: place for place in page.places}
    rings = {code: _rings(shape) for code, shape in shapes if shape is not None and code in values}
    every = [ring for found in rings.values() for ring in found]
    points = np.concatenate(every or [np.array([[105.0, 21.0], [106.0, 22.0]])])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    squeeze = float(np.cos(np.radians((south + north) / 2)))
    scale = WIDTH / max((east - west) * squeeze, 1e-6)
    height = (north - south) * scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img"'
        f' aria-label="{escape(WORDS[language]["title"])}">'
    ]
    for code in sorted(rings):
        place = values[code]
        level = band(place.value)
        told = f"{place.value} · {level.labels[language]}" if level else WORDS[language]["none"]
        path = "".join(_path(ring, west, north, squeeze * scale, scale) for ring in rings[code])
        colour = level.colour if level else NONE_COLOUR
        title = f"<title>{escape(f'{place.name}: {told}')}</title>"
        parts.append(f'<path d="{path}" fill="{colour}" stroke="#4a5160" stroke-width="0.6">{title}</path>')
    if schematic:
        parts.append(f'<text x="4" y="{height - 6:.0f}" font-size="14" fill="#4a5160">sơ đồ · schematic</text>')
    return "".join(parts) + "</svg>"


def html(page: PublicPage, picture: str, language: str, told: str, *, schematic: bool) -> str:
    """The page in one language: map, scale with advice, every commune's estimate.

    Args:
        told: when it is of, as people read it.
        schematic: the borders of the map are drawn, not surveyed: it says so.
    """
    words, other = WORDS[language], "en" if language == "vi" else "vi"
    error = "" if page.error is None else f", {words['error']} ±{page.error:.0f}"
    drawn = f" {words['schematic']}." if schematic else ""
    rows = "".join(_row(place.name, place.value, language) for place in page.places)
    scale = "".join(_advice(one, language) for one in bands())
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(words["title"])}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="stylesheet" href="/api/air/public/page.css"></head><body><main>'
        f'<header><h1>{escape(words["title"])}</h1><a href="?lang={other}" hreflang="{other}" lang="{other}">'
        f'{words["other"]}</a></header><p class="told">{words["told"]}: {escape(told) or words["none"]}. '
        f"{words['how']}: "
        f"{escape(page.method[language])}{error}; {words['measured']}.{drawn}</p>"
        f'<div class="two"><div>{picture}</div><div><h2>{words["advice"]}</h2><dl>{scale}</dl></div></div>'
        f"<h2>{words['place']}</h2><ul>{rows}</ul></main></body></html>"
    )


def _row(name: str, value: int | None, language: str) -> str:
    level = band(value)
    number = "–" if value is None else str(value)
    label = level.labels[language] if level else WORDS[language]["none"]
    shown = f'<span class="n">{number}</span><span class="l">{_swatch(level)}{escape(label)}</span>'
    return f"<li><span>{escape(name)}</span>{shown}</li>"


def _advice(level: Band, language: str) -> str:
    words = WORDS[language]
    said = "".join(f"<p><b>{words[group]}:</b> {escape(text[language])}</p>" for group, text in level.advice.items())
    return f"<dt>{_swatch(level)}{escape(level.labels[language])} (≤ {level.to})</dt><dd>{said}</dd>"


def _swatch(level: Band | None) -> str:
    colour = level.colour if level else NONE_COLOUR
    box = f'<rect width="14" height="14" fill="{colour}" stroke="#4a5160"/>'
    return f'<svg width="14" height="14" aria-hidden="true">{box}</svg>'


def _rings(shape: Mapping[str, Any]) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Outer rings, shape (n, 2) each."""
    coordinates = shape["coordinates"]
    polygons = [coordinates] if shape["type"] == "Polygon" else coordinates
    return [np.asarray(polygon[0], np.float64)[:, :2] for polygon in polygons]


def _path(ring: np.ndarray[Any, np.dtype[np.float64]], west: float, north: float, x: float, y: float) -> str:
    points = np.stack([(ring[:, 0] - west) * x, (north - ring[:, 1]) * y], axis=1)
    kept = [points[0]]
    for point in points[1:]:
        if np.abs(point - kept[-1]).max() >= DETAIL:
            kept.append(point)
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in kept) + "Z"
