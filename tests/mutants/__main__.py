"""`python -m tests.mutants` plants each mistake in a copy of the tree and runs the tests that must notice it.

Exits with 1 if a mutant survives one of its tests, or can't be planted any more.
"""

# ruff: noqa: T201 # it prints

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent.parent
COPIED = ("schemas", "service", "jobs", "web", "tests", "pyproject.toml")
SEEDS = "0:200"
"""At most: the first seeds that find something end the run."""

SECONDS_MAX = 300
TESTS_FAILED = 1
"""pytest's exit code; any other than 0 tells that the tests could not be run."""

TOOK_TOO_LONG = 124


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    chosen = [mutant for mutant in MUTANTS if parser.parse_args().only in mutant.name]
    survivors = 0
    for mutant in chosen:
        with tempfile.TemporaryDirectory(prefix="quizmill-mutant-") as directory:
            survivors += _try(mutant, Path(directory))
    print(f"{len(chosen)} mutants, {survivors} survivals")
    return bool(survivors)


def _try(mutant: Mutant, tree: Path) -> int:
    """Print a line a test; returns how many of them did not notice."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree)
    plant(mutant, tree)
    survived = 0
    for test in mutant.tests:
        started = time.perf_counter()
        code = _run(test, tree)
        verdict = {TESTS_FAILED: "caught", 0: "SURVIVED"}.get(code, f"NOT RUN (exit code {code})")
        survived += code != TESTS_FAILED
        print(f"{verdict:10} {time.perf_counter() - started:5.0f} s  {mutant.name:55} {test}", flush=True)
    return survived


def plant(mutant: Mutant, tree: Path) -> None:
    """Make the edits. Raises AssertionError when a place is not there exactly once."""
    for edit in mutant.edits:
        path = tree / edit.path
        text = path.read_text(encoding="utf-8")
        count = text.count(edit.old)
        assert count == 1, f"{mutant.name}: found {count} times in {edit.path}: {edit.old!r}"
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def _run(test: str, tree: Path) -> int:
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", test],
            cwd=tree,
            env={**os.environ, "QUIZMILL_MUTANT": "1", "QUIZMILL_SIMULATION_SEEDS": SEEDS},
            capture_output=True,
            check=False,
            timeout=SECONDS_MAX,
        ).returncode
    except subprocess.TimeoutExpired:
        return TOOK_TOO_LONG


if __name__ == "__main__":
    sys.exit(main())
