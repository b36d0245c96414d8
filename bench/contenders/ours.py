"""Quizmill itself: service, Valkey, workers and database as `quizmill up` starts them, ordered from over HTTP."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.contenders import processes
from bench.contenders.base import Result
from bench.simulator.bodies import Wanted

READY = "Quizmill is ready at "
START_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.05
TERMINAL = ("generation.completed", "generation.partial", "generation.failed", "generation.cancelled")


def settings_for(calls: int, workers: int, *, is_hedging: bool = False) -> dict[str, str]:
    """So that nothing but the provider limits how many calls are in flight."""
    settings = {
        "QUIZMILL_BATCHES_PER_WORKER": str(-(-calls // workers)),
        "QUIZMILL_LLM_CALLS_MAX": str(calls),
    }
    return {**settings, "QUIZMILL_HEDGE": "true"} if is_hedging else settings


def run(
    base_url: str, work: Sequence[Wanted], settings: Mapping[str, str], *, workers: int, seconds_max: float
) -> Result:
    environment = {
        "ANTHROPIC_API_KEY": "sk-bench",
        "ANTHROPIC_BASE_URL": base_url,
        "QUIZMILL_PROVIDER": "anthropic",
        "QUIZMILL_LOG_FORMAT": "json",
        **settings,
    }
    with running(environment, workers) as (url, pid), httpx.Client(base_url=url, timeout=seconds_max) as http:
        quiz_id, order = _material(http, work)
        tree = processes.Tree(pid)
        begun = time.perf_counter()
        answer = http.post(f"/api/quizzes/{quiz_id}/generations", json={"batches": order}).raise_for_status()
        generation_id = str(answer.json()["id"])
        first, ended = _watched(http, generation_id, begun + seconds_max)
        cpu_seconds = tree.cpu_seconds()
        generation = http.get(f"/api/generations/{generation_id}").json()
        return Result(
            wall_seconds=ended - begun,
            first_question_seconds=None if first is None else first - begun,
            good_calls=sum(batch["status"] == "completed" for batch in generation["batches"]),
            cpu_seconds=cpu_seconds,
            peak_rss_mb=tree.peak_rss_mb(),
            errors=_errors(generation["batches"]),
        )


@contextmanager
def running(environment: Mapping[str, str], workers: int) -> Iterator[tuple[str, int]]:
    """The address and the process id of an `up` in a directory of its own, once all its workers have started."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        options = ["--port", "0", "--data-dir", str(directory / "data"), "--workers", str(workers)]
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "service.cli.main", "up", *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **environment},
            )
            try:
                yield _ready(process, directory / "log", workers), process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)


def _ready(process: "subprocess.Popen[str]", log: Path, workers: int) -> str:
    assert process.stdout is not None, "stdout is a pipe"
    url = next((line for line in process.stdout if line.startswith(READY)), None)
    assert url, f"quizmill did not start: {log.read_text()[-2000:]}"
    until = time.monotonic() + START_SECONDS_MAX
    while log.read_text().count("worker started") < workers:
        assert time.monotonic() < until, f"the workers did not start: {log.read_text()[-2000:]}"
        time.sleep(LOOK_SECONDS)
    return url.removeprefix(READY).strip()


def _material(http: httpx.Client, work: Sequence[Wanted]) -> tuple[str, list[dict[str, object]]]:
    """A quiz with all the modules, and the order for the batches."""
    modules = {call.module.name: call.module.text for call in work}
    given = [{"name": name, "text": text} for name, text in modules.items()]
    quiz = http.post("/api/quizzes", json={"title": "Bench", "modules": given}).raise_for_status().json()
    ids = {module["name"]: module["id"] for module in quiz["modules"]}
    order = [
        {"module_id": ids[call.module.name], "question_type": call.question_type, "target_count": call.count}
        for call in work
    ]
    return quiz["id"], order


def _watched(http: httpx.Client, generation_id: str, until: float) -> tuple[float | None, float]:
    """When the first question was accepted, and when the generation ended or the time was up."""
    first = None
    with http.stream("GET", f"/api/generations/{generation_id}/events?from=0") as response:
        for line in response.iter_lines():
            now = time.perf_counter()
            if line == "event: question.accepted" and first is None:
                first = now
            if now > until or line.removeprefix("event: ") in TERMINAL:
                return first, now
    raise AssertionError("the stream ended before the generation")


def _errors(batches: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    open_ones = [batch for batch in batches if batch["status"] != "completed"]
    return dict(Counter(batch["error"]["code"] if batch["error"] else "not in time" for batch in open_ones))
