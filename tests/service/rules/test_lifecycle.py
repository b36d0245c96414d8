"""The table of transitions: what may follow what, and what may not."""

import pytest

from schemas.states import BatchState, GenerationState
from service.rules import lifecycle


def test_a_pending_batch_cannot_skip_processing_on_its_way_to_completed() -> None:
    assert BatchState.COMPLETED not in lifecycle.BATCH_FOLLOWS[BatchState.PENDING]


def test_a_batch_completes_by_work_or_a_failed_one_by_being_accepted() -> None:
    assert lifecycle.batch_sources(BatchState.COMPLETED) == {BatchState.PROCESSING, BatchState.FAILED}


def test_only_a_pending_batch_can_be_claimed() -> None:
    assert lifecycle.batch_sources(BatchState.PROCESSING) == {BatchState.PENDING}


def test_a_batch_becomes_pending_again_after_a_failure_or_a_lost_worker() -> None:
    assert lifecycle.batch_sources(BatchState.PENDING) == {BatchState.FAILED, BatchState.PROCESSING}


@pytest.mark.parametrize("target", [BatchState.FAILED, BatchState.CANCELLED])
def test_only_an_open_batch_can_fail_or_be_cancelled(target: BatchState) -> None:
    assert lifecycle.batch_sources(target) == {BatchState.PENDING, BatchState.PROCESSING}


@pytest.mark.parametrize("state", [BatchState.COMPLETED, BatchState.CANCELLED])
def test_nothing_follows_a_completed_or_cancelled_batch(state: BatchState) -> None:
    assert lifecycle.BATCH_FOLLOWS[state] == frozenset()


@pytest.mark.parametrize("state", [GenerationState.COMPLETED, GenerationState.CANCELLED])
def test_nothing_follows_a_completed_or_cancelled_generation(state: GenerationState) -> None:
    assert lifecycle.GENERATION_FOLLOWS[state] == frozenset()


@pytest.mark.parametrize("state", [GenerationState.PARTIAL, GenerationState.FAILED])
def test_a_generation_with_failures_can_be_retried_or_end_better_by_accepting(state: GenerationState) -> None:
    better = {GenerationState.PARTIAL, GenerationState.COMPLETED}
    assert lifecycle.GENERATION_FOLLOWS[state] == {GenerationState.PROCESSING} | better


def test_a_generation_that_never_started_can_not_complete() -> None:
    assert GenerationState.COMPLETED not in lifecycle.GENERATION_FOLLOWS[GenerationState.PENDING]


def test_a_generation_can_be_cancelled_from_every_state_that_is_not_terminal() -> None:
    open_states = {state for state in GenerationState if not state.is_terminal}
    assert lifecycle.generation_sources(GenerationState.CANCELLED) == open_states


def test_pausing_can_be_undone_to_the_state_before() -> None:
    paused_from = lifecycle.generation_sources(GenerationState.PAUSED)
    assert paused_from == {GenerationState.PENDING, GenerationState.PROCESSING}
    assert paused_from <= lifecycle.GENERATION_FOLLOWS[GenerationState.PAUSED]


def test_batches_are_claimable_only_while_their_generation_wants_work() -> None:
    assert {GenerationState.PENDING, GenerationState.PROCESSING} == lifecycle.CLAIMABLE


def test_no_state_follows_itself_but_a_partial_end_that_an_accepted_batch_made_better() -> None:
    assert all(state not in follows for state, follows in lifecycle.BATCH_FOLLOWS.items())
    again = {state for state, follows in lifecycle.GENERATION_FOLLOWS.items() if state in follows}
    assert again == {GenerationState.PARTIAL}


def test_every_state_can_be_reached_from_pending() -> None:
    for follows, start in (
        (lifecycle.BATCH_FOLLOWS, BatchState.PENDING),
        (lifecycle.GENERATION_FOLLOWS, GenerationState.PENDING),
    ):
        reached: set[str] = {start}
        while (
            more := {target for state, targets in follows.items() if state in reached for target in targets} - reached
        ):
            reached |= more
        assert reached == set(follows)
