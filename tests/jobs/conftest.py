"""A workbench for every test of a job."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import workbench
from tests.workbench import Workbench


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(workbench.make_template, tmp_path_factory.mktemp("template")).result()


@pytest.fixture
async def bench(template: Path, tmp_path: Path) -> AsyncIterator[Workbench]:
    async with workbench.opened(template, tmp_path) as opened:
        yield opened
