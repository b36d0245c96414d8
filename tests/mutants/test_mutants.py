"""The planted mistakes can still be planted, and the tests that must notice them are still there."""

import shutil
from pathlib import Path

import pytest

from tests.mutants.__main__ import ROOT, plant
from tests.mutants.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_planted(mutant: Mutant, tmp_path: Path) -> None:
    for edit in mutant.edits:
        (tmp_path / edit.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / edit.path, tmp_path / edit.path)
    plant(mutant, tmp_path)
    for edit in mutant.edits:
        text = (tmp_path / edit.path).read_text(encoding="utf-8")
        compile(text, edit.path, "exec")


@pytest.mark.parametrize("test", sorted({test for mutant in MUTANTS for test in mutant.tests}))
def test_a_test_that_must_notice_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8") or not name


def test_there_are_ten_mutants_at_least() -> None:
    assert len(MUTANTS) >= 10
