"""What a first run feels like: start to ready, order to first question, an order of 12 batches x 5 to completed.

`python -m bench.first_run [--runs N]` starts `quizmill up` with the offline provider in a new directory each time and
prints minimum, median and maximum in seconds beside the budget of each figure.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

CHAPTER = Path(__file__).parent.parent / "tests" / "fixtures" / "photosynthesis.md"
READY = "Quizmill is ready at "
TYPES = ("multiple_choice", "fill_in_blank", "true_false")
MODULES = 4
PER_BATCH = 5
BUDGETS = {"start to ready": 5.0, "order to first accepted question": 3.0, "order of 12 x 5 to completed": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = [run_once() for _ in range(parser.parse_args().runs)]
    print(f"{'seconds':36} {'min':>7} {'median':>7} {'max':>7} {'budget':>7}")
    for name, budget in BUDGETS.items():
        found = [run[name] for run in runs]
        figures = (min(found), statistics.median(found), max(found))
        print(f"{name:36}", *(f"{figure:7.2f}" for figure in figures), f"{budget or '':>7}")


def run_once() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        begun = time.perf_counter()
        with running(Path(directory)) as url:
            ready = time.perf_counter()
            with httpx.Client(base_url=url, timeout=120) as http:
                quiz_id, modules = material(http)
                ordered = time.perf_counter()
                first, completed = watched(http, order(http, quiz_id, modules))
    return {
        "start to ready": ready - begun,
        "order to first accepted question": first - ordered,
        "order of 12 x 5 to completed": completed - ordered,
    }


@contextmanager
def running(directory: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "service.cli.main", "up", "--port", "0", "--data-dir", str(directory)]
    environment = {**os.environ, "QUIZMILL_PROVIDER": "offline"}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            assert process.stdout is not None, "stdout is a pipe"
            line = next(line for line in process.stdout if line.startswith(READY))
            yield line.removeprefix(READY).strip()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def material(http: httpx.Client) -> tuple[str, list[str]]:
    """Upload the chapter; returns the quiz and its longest modules."""
    with CHAPTER.open("rb") as file:
        quiz = http.post("/api/quizzes", data={"title": "Bench"}, files={"files": (CHAPTER.name, file)}).json()
    while quiz["status"] == "extracting_content":
        time.sleep(0.05)
        quiz = http.get(f"/api/quizzes/{quiz['id']}").json()
    longest = sorted(quiz["modules"], key=lambda module: -module["characters"])
    return quiz["id"], [module["id"] for module in longest[:MODULES]]


def order(http: httpx.Client, quiz_id: str, modules: list[str]) -> str:
    batches = [
        {"module_id": module_id, "question_type": question_type, "target_count": PER_BATCH}
        for module_id in modules
        for question_type in TYPES
    ]
    answer = http.post(f"/api/quizzes/{quiz_id}/generations", json={"batches": batches})
    return str(answer.raise_for_status().json()["id"])


def watched(http: httpx.Client, generation_id: str) -> tuple[float, float]:
    """When the first question was accepted and when the generation was completed."""
    first = None
    with http.stream("GET", f"/api/generations/{generation_id}/events?from=0") as response:
        for line in response.iter_lines():
            if line == "event: question.accepted" and first is None:
                first = time.perf_counter()
            if line.startswith("event: generation.") and line != "event: generation.started":
                ended = line.removeprefix("event: ")
    completed = time.perf_counter()
    assert first is not None, "no question was accepted"
    if ended != "generation.completed":
        log = http.get(f"/api/generations/{generation_id}").json()
        raise AssertionError(f"it ended as {ended}: {json.dumps(log['error'])}")
    return first, completed


if __name__ == "__main__":
    main()
