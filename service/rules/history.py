"""From how batches ended, run by run, to what users read about it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from schemas.generations import BatchAttempt, GenerationAttempt
from schemas.history import BatchRun
from schemas.quizzes import AttemptResult, BatchResult, GenerationMetadata
from schemas.states import AttemptOutcome


def metadata(runs: Sequence[BatchRun]) -> GenerationMetadata:
    """`runs` in the order of generations, runs and batches; the last entry of a batch in a run counts."""
    attempts = []
    for number, (_, group) in enumerate(groupby(runs, key=lambda run: (run.generation_id, run.run)), start=1):
        attempts.append(_attempt(number, list(group)))
    latest = {run.batch_id: run for run in runs}.values()
    saved = [run for run in latest if run.is_success]
    return GenerationMetadata(
        generation_attempts=tuple(attempts),
        failed_batches=tuple(run.batch_key for run in latest if not run.is_success),
        successful_batches=tuple(run.batch_key for run in saved),
        total_questions_saved=sum(run.generated_count for run in saved),
        total_questions_target=sum(run.target_count for run in latest),
        last_updated=max((run.ended_at for run in runs), default=None),
    )


def generation_attempts(runs: dict[int, list[BatchAttempt]], *, is_cancelled: bool) -> list[GenerationAttempt]:
    """One entry a run, oldest first."""
    return [_generation_attempt(number, tries, is_cancelled=is_cancelled) for number, tries in sorted(runs.items())]


def _attempt(number: int, runs: list[BatchRun]) -> AttemptResult:
    last = {run.batch_key: run for run in runs}
    successes = sum(run.is_success for run in last.values())
    return AttemptResult(
        attempt_number=number,
        timestamp=max(run.ended_at for run in runs),
        overall_status=_overall(successes, len(last)),
        batch_results={
            key: BatchResult(
                module_id=run.module_id,
                module_name=run.module_name,
                question_type=run.question_type,
                target_count=run.target_count,
                generated_count=run.generated_count,
                status="success" if run.is_success else "failed",
                questions_saved=run.target_count if run.is_success else 0,
                error=run.error,
            )
            for key, run in last.items()
        },
    )


def _overall(successes: int, total: int) -> Literal["complete_success", "partial_success", "failed"]:
    if successes == total:
        return "complete_success"
    return "partial_success" if successes else "failed"


def _generation_attempt(number: int, tries: list[BatchAttempt], *, is_cancelled: bool) -> GenerationAttempt:
    last = {attempt.batch_id: attempt.outcome for attempt in tries}.values()
    unfinished = [outcome for outcome in last if outcome not in {AttemptOutcome.COMPLETED, AttemptOutcome.FAILED}]
    outcome: str = _overall(sum(outcome is AttemptOutcome.COMPLETED for outcome in last), len(last))
    if unfinished:
        outcome = "cancelled" if is_cancelled else "running"
    codes = dict.fromkeys(attempt.error.code for attempt in tries if attempt.error)
    return GenerationAttempt(
        attempt_number=number,
        outcome=outcome,
        error_codes=tuple(codes),
        llm_calls=sum(attempt.llm_calls for attempt in tries),
        input_tokens=sum(attempt.input_tokens for attempt in tries),
        output_tokens=sum(attempt.output_tokens for attempt in tries),
        cost_usd=sum(attempt.cost_usd for attempt in tries),
        unpriced_calls=sum(attempt.unpriced_calls for attempt in tries),
        seconds=round(sum(attempt.seconds or 0 for attempt in tries), 3),
        batches=tuple(tries),
    )
