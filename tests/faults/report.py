"""What a run of kills has shown, as JSON for programs and as Markdown for people."""

import json
import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

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


def write(figures: Figures, directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    name = f"kills-{figures.database}-{figures.kind}"
    text = markdown(figures)
    (directory / f"{name}.json").write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")
    (directory / f"{name}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def markdown(figures: Figures) -> str:
    shown = {name: value for name, value in asdict(figures).items() if not isinstance(value, tuple)}
    rows = (f"| {name.replace('_', ' ')} | {value} |" for name, value in shown.items())
    problems = "".join(f"- {problem}\n" for problem in figures.problems) or "No problems.\n"
    title = f"# {figures.kills} x kill -9: {figures.kind} on {figures.database}"
    return "\n".join((title, "", "| | |", "|---|---|", *rows, "", problems))
