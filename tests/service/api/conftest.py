"""The real app without a socket, on a workbench."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from service.app import create_app
from tests.troubled import TroubledDatabase
from tests.workbench import Workbench, bench, template

__all__ = ["bench", "template"]


@pytest.fixture
async def app(bench: Workbench) -> AsyncIterator[Starlette]:
    """Started and, in the end, stopped."""
    app = create_app(bench.settings, bench.connect())
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """What the app does not catch becomes its answer, as it would over a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
async def away(app: Starlette, bench: Workbench) -> AsyncIterator[TroubledDatabase]:
    """The app's database, which is away."""
    database = bench.another_database()
    database.is_away = True
    app.state.backend = replace(app.state.backend, database=database)
    yield database
    await database.close()
