"""From how batches ended, run by run, to what users read about it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.generations import BatchAttempt, BatchError
from schemas.history import BatchRun
from schemas.quizzes import GenerationMetadata
from schemas.states import AttemptOutcome, ErrorCode, QuestionType
from service.rules import history

MODULE, GENERATION, LATER_GENERATION = UUID(int=1), UUID(int=2), UUID(int=3)
LEAVES, ROOTS = UUID(int=10), UUID(int=11)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ended(
    batch_id: UUID, run: int, *, saved: int = 0, held: int = 0, minute: int = 0, generation_id: UUID = GENERATION
) -> BatchRun:
    target = saved or 8
    return BatchRun(
        generation_id=generation_id,
        run=run,
        batch_id=batch_id,
        batch_key=f"key_{batch_id.int}",
        module_id=MODULE,
        module_name="Plants",
        question_type=QuestionType.MULTIPLE_CHOICE,
        target_count=target,
        generated_count=saved or held,
        is_success=bool(saved),
        error=None if saved else "the provider is overloaded",
        ended_at=NOON + timedelta(minutes=minute),
    )


def attempt(
    batch_id: UUID, number: int, outcome: AttemptOutcome, code: ErrorCode | None = None, seconds: float | None = 1.5
) -> BatchAttempt:
    return BatchAttempt(
        batch_id=batch_id,
        batch_key=f"key_{batch_id.int}",
        number=number,
        worker="worker-1",
        outcome=outcome,
        error=BatchError(code=code, message="it did not work") if code else None,
        llm_calls=2,
        input_tokens=100,
        output_tokens=10,
        cost_usd=0.5,
        started_at=NOON,
        ended_at=None if seconds is None else NOON + timedelta(seconds=seconds),
        seconds=seconds,
    )


def test_a_quiz_without_attempts_has_empty_metadata() -> None:
    assert history.metadata([]) == GenerationMetadata()


def test_a_run_in_which_every_batch_ended_well_is_a_complete_success() -> None:
    found = history.metadata([ended(LEAVES, 1, saved=3), ended(ROOTS, 1, saved=4)])
    assert found.generation_attempts[0].overall_status == "complete_success"
    assert found.successful_batches == ("key_10", "key_11")
    assert found.failed_batches == ()


def test_a_run_in_which_some_batches_failed_is_a_partial_success_and_says_what_each_held() -> None:
    found = history.metadata([ended(LEAVES, 1, saved=3), ended(ROOTS, 1, held=2)])
    [first] = found.generation_attempts
    assert first.overall_status == "partial_success"
    failed = first.batch_results["key_11"]
    assert (failed.status, failed.generated_count, failed.questions_saved) == ("failed", 2, 0)
    assert failed.error == "the provider is overloaded"
    saved = first.batch_results["key_10"]
    assert (saved.status, saved.generated_count, saved.questions_saved, saved.error) == ("success", 3, 3, None)
    assert (found.total_questions_saved, found.total_questions_target) == (3, 11)


def test_a_run_in_which_nothing_succeeded_has_failed() -> None:
    found = history.metadata([ended(LEAVES, 1)])
    assert found.generation_attempts[0].overall_status == "failed"


def test_a_retry_is_an_attempt_of_its_own_and_its_end_counts_for_the_totals() -> None:
    found = history.metadata(
        [
            ended(LEAVES, 1, saved=3, minute=1),
            ended(ROOTS, 1, held=2, minute=2),
            ended(ROOTS, 2, saved=8, minute=9),
        ]
    )
    assert [entry.attempt_number for entry in found.generation_attempts] == [1, 2]
    assert [entry.overall_status for entry in found.generation_attempts] == ["partial_success", "complete_success"]
    assert list(found.generation_attempts[1].batch_results) == ["key_11"], "a retry touches only what failed"
    assert found.failed_batches == ()
    assert found.successful_batches == ("key_10", "key_11")
    assert (found.total_questions_saved, found.total_questions_target) == (11, 11)
    assert found.generation_attempts[0].timestamp == NOON + timedelta(minutes=2)
    assert found.last_updated == NOON + timedelta(minutes=9)


def test_orders_of_one_quiz_are_numbered_on() -> None:
    found = history.metadata([ended(LEAVES, 1, saved=3), ended(ROOTS, 1, saved=4, generation_id=LATER_GENERATION)])
    assert [entry.attempt_number for entry in found.generation_attempts] == [1, 2]
    assert found.total_questions_saved == 7


def test_failed_and_successful_batches_are_all_that_were_attempted() -> None:
    runs = [ended(LEAVES, 1, saved=3), ended(ROOTS, 1), ended(ROOTS, 2), ended(UUID(int=12), 1, saved=2)]
    found = history.metadata(sorted(runs, key=lambda entry: entry.run))
    assert {*found.failed_batches, *found.successful_batches} == {"key_10", "key_11", "key_12"}
    assert not set(found.failed_batches) & set(found.successful_batches)


def test_a_run_sums_up_its_tries() -> None:
    tries = [
        attempt(LEAVES, 1, AttemptOutcome.RETRYING, ErrorCode.TIMEOUT),
        attempt(ROOTS, 1, AttemptOutcome.FAILED, ErrorCode.PROVIDER_OVERLOADED),
        attempt(LEAVES, 2, AttemptOutcome.COMPLETED),
    ]
    [found] = history.generation_attempts({1: tries}, is_cancelled=False)
    assert found.outcome == "partial_success"
    assert found.error_codes == (ErrorCode.TIMEOUT, ErrorCode.PROVIDER_OVERLOADED)
    assert (found.llm_calls, found.input_tokens, found.output_tokens) == (6, 300, 30)
    assert found.seconds == 4.5
    assert found.batches == tuple(tries)


def test_runs_are_told_oldest_first() -> None:
    runs = {
        2: [attempt(ROOTS, 2, AttemptOutcome.COMPLETED)],
        1: [attempt(ROOTS, 1, AttemptOutcome.FAILED, ErrorCode.TIMEOUT)],
    }
    found = history.generation_attempts(runs, is_cancelled=False)
    assert [(run.attempt_number, run.outcome) for run in found] == [(1, "failed"), (2, "complete_success")]


def test_a_run_is_running_until_the_last_try_of_every_batch_has_ended() -> None:
    tries = [
        attempt(LEAVES, 1, AttemptOutcome.COMPLETED),
        attempt(ROOTS, 1, AttemptOutcome.RUNNING, seconds=None),
    ]
    [found] = history.generation_attempts({1: tries}, is_cancelled=False)
    assert found.outcome == "running"
    assert found.seconds == 1.5


def test_a_run_that_was_cut_short_by_a_cancellation_is_cancelled() -> None:
    tries = [attempt(LEAVES, 1, AttemptOutcome.COMPLETED), attempt(ROOTS, 1, AttemptOutcome.CANCELLED)]
    [found] = history.generation_attempts({1: tries}, is_cancelled=True)
    assert found.outcome == "cancelled"
