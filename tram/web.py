"""Where the built web pages are. Any plane's app serves them; building them is deploy/build_web.py's work.

The folder holds one sub-folder a page (`consult/index.html`, later `shell/index.html`) and `assets/`, whose names carry
a hash of their content. Pages name each other's files relatively: the whole folder is served under one prefix, `/ui`:

    app.mount("/ui", StaticFiles(directory=web.directory(), html=True))     # /ui/consult/ is the call page
"""

from __future__ import annotations

from pathlib import Path

PREFIX = "/ui"
"""The path under which every plane serves `directory()`."""

HEADERS = {
    # Own scripts, styles, fonts and sockets alone. Svelte's `style:…` sets properties by script, which this allows.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""The headers that every page is served with; a plane adds its own Permissions-Policy."""

NOT_BUILT = "the web pages are not built: run `make web`"
"""What an app answers (503) in their place when `directory()` is None."""


def directory() -> Path | None:
    """The folder of built pages, or None when they were not built (a checkout without node, TRAM_X_SKIP_WEB=1)."""
    built = Path(__file__).parent / "web_dist"
    return built if (built / "assets").is_dir() else None
