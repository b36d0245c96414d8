"""What a run of kills has shown, as JSON for programs and as Markdown for people."""

import json
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.faults.proof import Proof


@dataclass(frozen=True)
class Figures:
    kind: str
    database: str
    seed: int
    date: str
    lease_seconds: float
    seconds: float
    kills: int
    generations: int
    batches: int
    failed_batches: int
    acknowledged_writes: int
    lost: int
    duplicated: int
    llm_calls: int
    wasted_llm_calls: int
    questions_kept: int
    questions_paid: int
    again_seconds_count: int
    again_seconds_median: float
    again_seconds_max: float
    again_seconds: tuple[float, ...]
    problems: tuple[str, ...]

    @classmethod
    def of(
        cls, found: Proof, again_seconds: tuple[float, ...], *, kind: str, database: str, seed: int, **run: float
    ) -> Self:
        return cls(
            kind=kind,
            database=database,
            seed=seed,
            date=datetime.now(UTC).date().isoformat(),
            lease_seconds=run["lease_seconds"],
            seconds=round(run["seconds"], 1),
            kills=int(run["kills"]),
            generations=found.generations,
            batches=found.batches,
            failed_batches=found.failed_batches,
            acknowledged_writes=found.acknowledged,
            lost=len(found.lost),
            duplicated=len(found.duplicated),
            llm_calls=found.calls,
            wasted_llm_calls=found.wasted_calls,
            questions_kept=found.questions,
            questions_paid=found.questions_paid,
            again_seconds_count=len(again_seconds),
            again_seconds_median=round(statistics.median(again_seconds or (0,)), 2),
            again_seconds_max=round(max(again_seconds, default=0), 2),
            again_seconds=tuple(sorted(round(seconds, 2) for seconds in again_seconds)),
            problems=found.problems,
        )


def write(shown: Mapping[str, Any], *, name: str, title: str, directory: Path) -> None:
    """`shown`: figures by name, what is listed one by one, and `problems`."""
    directory.mkdir(exist_ok=True)
    text = markdown(shown, title)
    (directory / f"{name}.json").write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")
    (directory / f"{name}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def markdown(shown: Mapping[str, Any], title: str) -> str:
    figures = {name: value for name, value in shown.items() if not isinstance(value, tuple)}
    rows = (f"| {name.replace('_', ' ')} | {value} |" for name, value in figures.items())
    problems = "".join(f"- {problem}\n" for problem in shown["problems"]) or "No problems.\n"
    return "\n".join((f"# {title}", "", "| | |", "|---|---|", *rows, "", problems))
