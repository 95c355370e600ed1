"""The index as a small picture that any page may embed: SVG without script, style sheet or anything from elsewhere."""

from html import escape

from services.domains.air.bands import band

WORDS = {
    "vi": {"none": "chưa có chỉ số", "index": "VN_AQI", "estimated": "ước tính"},
    "en": {"none": "no index", "index": "VN_AQI", "estimated": "estimated"},
}
WIDTH, HEIGHT = 240, 64


def badge(place: str, index: float | None, told: str, language: str, *, estimated: bool) -> str:
    """The picture.

    Args:
        place: what it is of.
        index: None: there is none, and the badge says so.
        told: when it is of, as people read it.
        language: vi or en.
        estimated: it was not measured there.
    """
    words, found = WORDS[language], band(index)
    colour, ink = (found.colour, found.ink) if found else ("#d0d4da", "#000000")
    label = found.labels[language] if found else words["none"]
    number = "–" if index is None else str(round(index))
    kind = words["index"] + (f" · {words['estimated']}" if estimated else "")
    name = place if len(place) <= 26 else place[:25] + "…"
    spoken = f"{place}: {kind} {number}, {label}" + (f", {told}" if told else "")
    font = 'font-family="system-ui,sans-serif"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{escape(spoken)}"><title>{escape(spoken)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff" stroke="#9aa1ab"/>'
        f'<path d="M6 0H64V{HEIGHT}H6A6 6 0 0 1 0 {HEIGHT - 6}V6A6 6 0 0 1 6 0Z" fill="{colour}"/>'
        f'<text x="32" y="40" {font} font-size="24" font-weight="600" text-anchor="middle" fill="{ink}">{number}</text>'
        f'<text x="74" y="20" {font} font-size="13" font-weight="600" fill="#14181f">{escape(name)}</text>'
        f'<text x="74" y="38" {font} font-size="13" fill="#14181f">{escape(label)}</text>'
        f'<text x="74" y="55" {font} font-size="11" fill="#4a5160">{escape(kind)}'
        f"{' · ' + escape(told) if told else ''}</text></svg>"
    )
