"""Both chapters, read once."""

from pathlib import Path

import pytest

from jobs.offline.analysis import Analysis
from jobs.offline.german import GERMAN
from tests.jobs.offline.reading import analysed

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="session")
def photosynthesis() -> Analysis:
    return analysed((FIXTURES / "photosynthesis.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def networks() -> Analysis:
    return analysed((FIXTURES / "rechnernetze.md").read_text(encoding="utf-8"), GERMAN)
