"""What the counts of a generation mean: its message, how it ends, what a retry would do."""

from itertools import combinations_with_replacement

import pytest

from schemas.events import Totals
from schemas.generations import BatchError
from schemas.plans import Tally
from schemas.states import BatchState, ErrorCode, GenerationState
from service.rules import progress

COMPLETED, FAILED, CANCELLED = BatchState.COMPLETED, BatchState.FAILED, BatchState.CANCELLED
OVERLOADED = BatchError(code=ErrorCode.PROVIDER_OVERLOADED, message="the provider is overloaded")
EXHAUSTED = BatchError(code=ErrorCode.SOURCE_EXHAUSTED, message="the module yields no more")


def tally(state: BatchState, target: int = 4, held: int = 0) -> Tally:
    saved = target if state is COMPLETED else 0
    return Tally(batch_key=f"key_{target}", state=state, target_count=target, saved_count=saved, held_count=held)


def ending(*states: BatchState) -> GenerationState | None:
    return progress.ending([tally(state) for state in states])


def test_a_generation_ends_completed_when_every_batch_is() -> None:
    assert ending(COMPLETED, COMPLETED) is GenerationState.COMPLETED


def test_a_generation_ends_partial_when_some_batches_are_completed() -> None:
    assert ending(FAILED, COMPLETED, FAILED) is GenerationState.PARTIAL


def test_a_generation_ends_failed_when_no_batch_is_completed() -> None:
    assert ending(FAILED, FAILED) is GenerationState.FAILED


@pytest.mark.parametrize("state", [BatchState.PENDING, BatchState.PROCESSING])
@pytest.mark.parametrize("others", [*combinations_with_replacement([COMPLETED, FAILED, CANCELLED], 2)], ids=str)
def test_a_generation_does_not_end_while_one_batch_is_open(
    state: BatchState, others: tuple[BatchState, BatchState]
) -> None:
    assert ending(*others, state) is None


def test_totals_are_sums_over_the_batches() -> None:
    found = progress.totals([tally(COMPLETED, 5), tally(FAILED, 7, held=3), tally(BatchState.PROCESSING, 2, held=1)])
    assert found == Totals(target=14, saved=5, held=4, batches=3, batches_completed=1, batches_failed=1)


def test_the_message_before_the_first_saved_question_estimates_the_time() -> None:
    found = progress.message(GenerationState.PENDING, 35, 0)
    assert found == "Generating... usually under 1 minute. 0 of 35 questions created"


def test_the_estimate_grows_with_the_order() -> None:
    found = progress.message(GenerationState.PROCESSING, 101, 0)
    assert found == "Generating... usually under 2 minutes. 0 of 101 questions created"


def test_the_message_counts_as_soon_as_questions_are_saved() -> None:
    assert progress.message(GenerationState.PROCESSING, 35, 15) == "15 of 35 questions created"


def test_who_waits_for_the_provider_says_so() -> None:
    found = progress.message(GenerationState.PROCESSING, 35, 0, waiting_for=ErrorCode.PROVIDER_OVERLOADED)
    assert found == "Waiting for the provider, which is overloaded. 0 of 35 questions created"
    found = progress.message(GenerationState.PROCESSING, 35, 15, waiting_for=ErrorCode.TOO_FEW_VALID)
    assert found == "15 of 35 questions created", "that is no reason of the provider's"


@pytest.mark.parametrize(
    "state", [GenerationState.FAILED, GenerationState.CANCELLED, GenerationState.PARTIAL, GenerationState.PAUSED]
)
def test_a_generation_that_does_not_work_promises_no_time(state: GenerationState) -> None:
    assert progress.message(state, 35, 0) == "0 of 35 questions created"


@pytest.mark.parametrize(
    ("state", "failed_batches", "expected"),
    [
        (GenerationState.PARTIAL, 1, True),
        (GenerationState.FAILED, 2, True),
        (GenerationState.PAUSED, 0, True),
        (GenerationState.PARTIAL, 0, False),
        (GenerationState.PROCESSING, 1, False),
        (GenerationState.PENDING, 0, False),
        (GenerationState.COMPLETED, 0, False),
        (GenerationState.CANCELLED, 1, False),
    ],
)
def test_a_generation_can_resume_while_a_retry_or_resume_would_do_something(
    state: GenerationState, failed_batches: int, expected: bool
) -> None:
    assert progress.can_resume(state, failed_batches) is expected


def test_a_generation_without_failures_has_no_error() -> None:
    assert progress.summary([]) is None


def test_the_error_of_the_only_failed_batch_is_the_error_of_the_generation() -> None:
    assert progress.summary([OVERLOADED]) == OVERLOADED


def test_several_failures_are_summed_up_by_the_most_frequent_cause() -> None:
    found = progress.summary([OVERLOADED, EXHAUSTED, EXHAUSTED])
    assert found == BatchError(
        code=ErrorCode.SOURCE_EXHAUSTED,
        message="3 batches failed, 2 of them with source_exhausted: the module yields no more",
    )


def test_of_equally_frequent_causes_the_first_one_counts() -> None:
    found = progress.summary([OVERLOADED, EXHAUSTED])
    assert found is not None
    assert found.code is ErrorCode.PROVIDER_OVERLOADED
