"""Looks a page over with axe-core; `python -m tests.axe --install` gets it, in the version of tests/package.json."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Page

DIRECTORY = Path(__file__).parent
SCRIPT = DIRECTORY / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = frozenset({"serious", "critical"})


def install() -> None:
    """By npm; where there is none, Debian's is installed if we may."""
    if not shutil.which("npm") and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "npm"], check=True)
    quiet = ("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    subprocess.run(["npm", "install", *quiet], cwd=DIRECTORY, check=True)


async def findings(page: Page) -> list[str]:
    """What is grave, a line each: the rule, and where it is broken."""
    # Run by the debugger, which the content policy of the page does not bind.
    await page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


if __name__ == "__main__":
    assert sys.argv[1:] == ["--install"], "usage: python -m tests.axe --install"
    install()
