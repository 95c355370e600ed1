"""axe-core in a real page: what keeps somebody from using it."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

COLOURS = """async theme => {
  document.documentElement.dataset.theme = theme
  const options = {runOnly: {type: 'rule', values: ['color-contrast']}, resultTypes: ['violations']}
  return (await axe.run(document, options)).violations
}"""
"""A page that axe has looked at, in another theme: a theme changes colours alone, and contrast is the rule of those."""


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical, by the rules of WCAG 2.2 AA."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],"
        " resultTypes: ['violations']})"
    )
    return told(found["violations"])


def in_theme(page: Page, theme: str) -> list[str]:
    """The same after `faults`, in another theme."""
    return told(page.evaluate(COLOURS, theme))


def told(violations: list[dict[str, Any]]) -> list[str]:
    """One line for each element that keeps somebody out."""
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
