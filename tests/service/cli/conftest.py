"""A shell without settings, in a directory of its own."""

import os
from pathlib import Path

import pytest

from tests.workbench import template

__all__ = ["template"]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("QUIZMILL_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
