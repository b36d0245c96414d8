"""Looks a page over with axe-core, which `python -m tests.programs --install` gets."""

from typing import Any

from playwright.async_api import Page

from tests.programs import NODE_MODULES

SCRIPT = NODE_MODULES / "axe-core" / "axe.min.js"
GRAVE = frozenset({"serious", "critical"})


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
