"""pytest plugin: a failed test on real parts runs once more, and tells what it saw the first time (ADR 0131).

Which tests: those that drive a browser or use the database server, because their clocks, sockets and processes are real
and two shared processors are what they have. Never one of hypothesis: what it found is a fault however seldom it comes.
`--max-suite-reruns` (pyproject.toml) is the limit of a whole run; a test beyond it fails at once.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

PATIENCE = 5_000  # milliseconds that a page which may hang has for each answer
LINES = 40  # the newest of each list that a page keeps


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks who gets a second chance."""
    for item in items:
        real = "server" in getattr(item, "fixturenames", ()) or item.get_closest_marker("browser")
        if real and not getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test's report says what stood on every open page."""
    report = yield
    if report.failed and report.when == "call":  # type: ignore[attr-defined]
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Browser):
                report.sections += [(f"page {page.url}", seen(page)) for c in value.contexts for page in c.pages]  # type: ignore[attr-defined]
    return report


def seen(page: Page) -> str:
    """What a person and a developer would have seen on this page; says so where it no longer answers."""
    parts: list[str] = []
    for name, ask in (
        ("text", lambda: page.locator("body").inner_text(timeout=PATIENCE)),
        ("console", lambda: "\n".join(f"{m.type}: {m.text}" for m in page.console_messages()[-LINES:])),
        ("errors", lambda: "\n".join(str(error) for error in page.page_errors()[-LINES:])),
        (
            "unanswered",
            lambda: "\n".join(r.url for r in page.requests()[-LINES:] if r.failure or not r.existing_response),
        ),
    ):
        try:
            said = ask()
        except Error as error:
            said = f"does not answer: {error.message.splitlines()[0]}"
        parts.append(f"[{name}]\n{said}")
    return "\n".join(parts)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the first failure of each test that ran again: a second success hides nothing."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"ran again: {report.nodeid}", sep="=", yellow=True)
        terminalreporter.line("\n".join(report.longreprtext.splitlines()[-LINES:]))
        for title, text in report.sections:
            terminalreporter.section(title, sep="-")
            terminalreporter.line(text)
