"""`quizmill generate`: files in, questions out, in one go."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.generations import Generation
from schemas.orders import ModuleBatchOrder, Order
from schemas.quizzes import Quiz
from schemas.states import Difficulty, PauseReason, QuestionType, QuizStatus
from service.cli import lock, show
from service.cli.client import Client
from service.errors import QuizmillError
from service.rules import planning
from service.settings import Settings

READY: Final = "Quizmill is ready at "
LOOK_SECONDS: Final = 0.2
EXTRACTION_SECONDS_MAX: Final = 600.0
STOP_SECONDS_MAX: Final = 30.0
PATIENCE_SECONDS: Final = 60.0
"""How long reading waits for a service that is started anew."""


class GenerateFailed(QuizmillError):
    """The material could not be read, or the system did not start."""


@contextmanager
def service(settings: Settings, url: str | None) -> Iterator[str]:
    """The address of a service: the one given, the one that works in the data directory, or one of our own."""
    running = url or lock.address_of(settings.data_dir)
    if running:
        yield running
        return
    command = [sys.executable, "-m", "service.cli.main", "up", "--until-eof", "--port", "0"]
    command += ["--data-dir", str(settings.data_dir)]
    environment = {**os.environ, "QUIZMILL_LOG_FORMAT": "console"}
    log_path = settings.data_dir / "generate.log"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (
        log_path.open("ab") as log_file,
        # A session of its own: Ctrl-C is for this command, which then lets the system drain.
        subprocess.Popen(  # noqa: S603 # our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            text=True,
            start_new_session=True,
            env=environment,
        ) as process,
    ):
        try:
            yield _address(process, log_path)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()


def generate(client: Client, quiz: Quiz, order: Order, *, data_dir: Path) -> Generation:
    """Order and watch until the end. Ctrl-C keeps what is done and says how to go on."""
    watch = "list"
    try:
        generation = client.order(quiz.id, order)
        watch = f"watch {generation.id}"
        with show.progress(generation) as progress:
            for event in client.watch(generation.id, say=show.say, from_start=True):
                progress.apply(event)
                if event.type == "generation.paused" and event.data.get("reason") == PauseReason.COST_CAP:
                    break
    except KeyboardInterrupt:
        show.errors.print(
            f"Stopped. What is done is kept, and the rest goes on with `quizmill up --data-dir {data_dir}`;"
            f" then `quizmill generation {watch}` shows it and `quizmill export {quiz.id}` writes it.",
            soft_wrap=True,
        )
        raise
    return client.generation(generation.id)


def extracted(client: Client, quiz: Quiz) -> Quiz:
    """Wait until the files have become modules. Raises GenerateFailed."""
    deadline = time.monotonic() + EXTRACTION_SECONDS_MAX
    while quiz.status is QuizStatus.EXTRACTING_CONTENT:
        if time.monotonic() > deadline:
            raise GenerateFailed(f"the files were not read within {EXTRACTION_SECONDS_MAX:g} seconds")
        # A quiz has no event stream; asking again is the only way.
        time.sleep(LOOK_SECONDS)
        quiz = client.quiz(quiz.id)
    reasons = [report.message for report in client.materials(quiz.id) if report.message]
    if not quiz.modules:
        told = "; ".join(reasons) or quiz.failure_reason
        raise GenerateFailed(f"the files gave no text to ask about: {told}")
    for reason in reasons:
        show.errors.print(f"Left out: {reason}", soft_wrap=True, markup=False)
    return quiz


def plan(
    quiz: Quiz,
    types: Sequence[QuestionType],
    count: int,
    difficulty: Difficulty | None,
    questions_per_batch_max: int,
    *,
    cost_max_usd: float | None = None,
) -> Order:
    """`count` questions of each type, spread over the modules by their length."""
    modules = [module for module in quiz.modules if not module.is_left_out]
    weights = [module.characters for module in modules]
    batches = [
        ModuleBatchOrder(module_id=module.id, question_type=question_type, difficulty=difficulty, target_count=size)
        for question_type in types
        for module, sizes in zip(
            modules, planning.spread(count, weights, size_max=questions_per_batch_max), strict=True
        )
        for size in sizes
    ]
    return Order(batches=batches, cost_max_usd=cost_max_usd)


def _address(process: "subprocess.Popen[str]", log_path: Path) -> str:
    assert process.stdout is not None, "stdout is a pipe"
    for line in process.stdout:
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    raise GenerateFailed(f"quizmill did not start: see {log_path}")
