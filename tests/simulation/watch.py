"""What must be true at every commit, call, message and end, judged from outside of Quizmill."""

import hashlib
from collections.abc import Callable
from typing import Any

# Two builds of SQLite on one file would not see each other's locks.
from service.store import sqlite_build  # noqa: F401 # isort: skip
import sqlite3  # isort: skip

from jobs.providers.base import Request
from schemas.plans import Wakeup
from tests.simulation import processes
from tests.simulation.chance import EPOCH
from tests.simulation.processes import Process

STOP_SECONDS_MAX = 2.0
"""How long after a cancellation or pause a call may still begin."""

_FOLLOWS = {
    "pending": ("processing", "failed", "cancelled"),
    "processing": ("completed", "failed", "cancelled", "pending"),
    "failed": ("pending", "completed"),
    "cancelled": (),
    "completed": (),
}
_ALLOWED = ", ".join(f"'{source}>{target}'" for source, targets in _FOLLOWS.items() for target in targets)

_RULES = {
    "a fence went back": ("UPDATE", "batches", "NEW.fence < OLD.fence"),
    "a claim or a step out of processing left the fence as it was": (
        "UPDATE",
        "batches",
        "NEW.state <> OLD.state AND NEW.state <> 'completed' AND 'processing' IN (NEW.state, OLD.state)"
        " AND NEW.fence = OLD.fence",
    ),
    "a batch took a step that is none": (
        "UPDATE",
        "batches",
        f"NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({_ALLOWED})",
    ),
    "a completed batch was touched": ("UPDATE", "batches", "OLD.state = 'completed'"),
    "a batch failed in a way nobody foresaw": ("UPDATE", "batches", "NEW.error_code = 'internal'"),
    "an attempt failed in a way nobody foresaw": ("UPDATE", "attempts", "NEW.error_code = 'internal'"),
    "held counts went down without an end": (
        "UPDATE",
        "batches",
        "NEW.held_count < OLD.held_count AND NEW.state <> 'completed'",
    ),
    "a question was held under a fence that is not the batch's": (
        "INSERT",
        "questions",
        "NOT EXISTS (SELECT 1 FROM batches WHERE id = NEW.batch_id AND fence = NEW.fence AND state = 'processing')",
    ),
    "a question entered a cancelled generation": (
        "INSERT",
        "questions",
        "EXISTS (SELECT 1 FROM generations WHERE id = NEW.generation_id AND state = 'cancelled')",
    ),
    "a question was lost": ("DELETE", "questions", "1"),
    "a question was changed": (
        "UPDATE",
        "questions",
        "OLD.state = 'saved' OR NEW.content <> OLD.content OR NEW.slot <> OLD.slot",
    ),
    "an event was lost": ("DELETE", "events", "1"),
    "an event was changed": ("UPDATE", "events", "1"),
    "a cancelled generation went on": ("UPDATE", "generations", "OLD.state = 'cancelled' AND NEW.state <> OLD.state"),
    "an event came after the cancellation": (
        "INSERT",
        "events",
        "NEW.type <> 'generation.cancelled'"
        " AND EXISTS (SELECT 1 FROM generations WHERE id = NEW.generation_id AND state = 'cancelled')",
    ),
}


def rules() -> str:
    """Triggers that write down every commit that breaks a rule: one for a table and verb, so that they cost little."""
    grouped: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for what, (verb, table, condition) in _RULES.items():
        grouped.setdefault((verb, table), []).append((condition, what.replace("'", "''")))
    lines = ["CREATE TABLE violations (what TEXT NOT NULL);"]
    for (verb, table), broken in grouped.items():
        any_of = " OR ".join(f"({condition})" for condition, _ in broken)
        told = "".join(f" INSERT INTO violations SELECT '{what}' WHERE {condition};" for condition, what in broken)
        lines.append(f"CREATE TRIGGER {verb}_{table} AFTER {verb} ON {table} WHEN {any_of} BEGIN{told} END;")
    return "\n".join(lines)


class Watch:
    """`problems` is what was found; `trace` tells one run from another."""

    def __init__(self, path: str, now: Callable[[], float], *, is_loud: bool) -> None:
        self.problems: list[str] = []
        self.calls = 0
        self._database = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        self._now = now
        self._is_loud = is_loud
        self._trace = hashlib.sha256()
        self._acknowledged: set[str] = set()
        self._ordered: set[str] = set()

    @property
    def trace(self) -> str:
        return self._trace.hexdigest()

    @property
    def acknowledged(self) -> int:
        return len(self._acknowledged)

    def note(self, *words: object) -> None:
        process = processes.current().name if processes.is_in_process() else "-"
        line = f"{self._now():.6f} {process} {' '.join(map(str, words))}\n"
        self._trace.update(line.encode())
        if self._is_loud:
            print(line, end="")  # noqa: T201 # the replay of one seed

    def report(self, problem: str) -> None:
        self.problems.append(f"at {self._now():.3f}: {problem}")
        self.note("PROBLEM", problem)

    def acknowledge(self, question_ids: list[str]) -> None:
        """A commit was told to who made it: these must be there for ever."""
        self._acknowledged.update(question_ids)

    def ordered(self, generation_id: str) -> None:
        """An order was answered: it must be there for ever."""
        self._ordered.add(generation_id)
        if not self._one("SELECT 1 FROM generations WHERE id = ?", generation_id):
            self.report(f"order {generation_id} was answered before its commit")

    def announced(self, wakeup: Wakeup) -> None:
        """What is told must be committed."""
        row = self._one("SELECT last_seq FROM generations WHERE id = ?", wakeup.generation_id.hex)
        if row is None or row[0] < wakeup.seq:
            self.report(f"event {wakeup.seq} was announced before its commit: the log ends at {row}")

    def asked(self, request: Request) -> None:
        """A call must be wanted, and ask for what is missing."""
        self.calls += 1
        self.note("asks", request.count)
        process = processes.current()
        row = self._one(
            "SELECT b.state, b.lease_owner, b.target_count - b.held_count, g.state,"
            " coalesce(g.completed_at, (SELECT max(at) FROM events e"
            "  WHERE e.generation_id = g.id AND e.type = 'generation.paused'))"
            " FROM batches b JOIN generations g ON g.id = b.generation_id"
            " WHERE b.module_id = ? AND g.instructions = ?",
            request.source.module_id.hex,
            request.instructions,
        )
        assert row is not None, "every generation has its own instructions and one batch a module"
        state, owner, missing, generation_state, stopped_at = row
        if generation_state in {"cancelled", "paused"}:
            self._late(process, generation_state, stopped_at - EPOCH)
        if state == "processing" and owner == process.name and request.count != missing and not process.frozen_seconds:
            self.report(f"asked for {request.count} questions where {missing} are missing")

    def _late(self, process: Process, state: str, stopped_at: float) -> None:
        """A worker that stood still could not know."""
        if self._now() - max(stopped_at, process.frozen_until) > STOP_SECONDS_MAX:
            self.report(f"asked for a generation that was {state} at {stopped_at:.3f}")

    def open_generations(self) -> list[tuple[str, str]]:
        """Id and state of those that have not ended."""
        ended = "('completed', 'partial', 'failed', 'cancelled')"
        return self._all(f"SELECT id, state FROM generations WHERE state NOT IN {ended} ORDER BY id")

    def generations(self) -> list[tuple[str, str, int]]:
        return self._all("SELECT id, state, last_seq FROM generations ORDER BY requested_at, id")

    def batches(self, state: str) -> list[tuple[str, str]]:
        return self._all("SELECT id, generation_id FROM batches WHERE state = ? ORDER BY id", state)

    def open_batches(self) -> list[tuple[object, ...]]:
        """What is left to do, with all that decides about it."""
        return self._all(
            "SELECT g.state, b.state, b.fence, b.lease_owner, b.lease_until - ?1, b.wanted_at - ?1, b.not_before - ?1"
            " FROM batches b JOIN generations g ON g.id = b.generation_id WHERE b.state IN ('pending', 'processing')",
            EPOCH,
        )

    def judge_end(self) -> None:
        """What must hold when all is done, beyond what `verify` finds."""
        self.problems += [what for (what,) in self._all("SELECT what FROM violations")]
        there = {row[0] for row in self._all("SELECT id FROM questions")}
        if lost := self._acknowledged - there:
            self.report(f"{len(lost)} acknowledged questions are lost")
        known = {row[0] for row in self._all("SELECT id FROM generations")}
        if lost := self._ordered - known:
            self.report(f"{len(lost)} answered orders are lost")
        if self._all("SELECT 1 FROM attempts WHERE outcome = 'running'"):
            self.report("an attempt still runs, but its batch has ended")

    def close(self) -> None:
        self._database.close()

    def _one(self, sql: str, *parameters: object) -> Any:
        return self._database.execute(sql, parameters).fetchone()

    def _all(self, sql: str, *parameters: object) -> list[Any]:
        return self._database.execute(sql, parameters).fetchall()
