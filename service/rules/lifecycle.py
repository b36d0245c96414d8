"""The one table of transitions, for generations and for batches."""

from collections.abc import Mapping
from typing import TypeVar

from schemas.states import BatchState, GenerationState

State = TypeVar("State", BatchState, GenerationState)

BATCH_FOLLOWS: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.PENDING: frozenset({BatchState.PROCESSING, BatchState.FAILED, BatchState.CANCELLED}),
    BatchState.PROCESSING: frozenset(
        {BatchState.COMPLETED, BatchState.FAILED, BatchState.CANCELLED, BatchState.PENDING}
    ),
    BatchState.COMPLETED: frozenset(),
    # A retry, or a user who accepts what is there.
    BatchState.FAILED: frozenset({BatchState.PENDING, BatchState.COMPLETED}),
    BatchState.CANCELLED: frozenset(),
}
assert set(BATCH_FOLLOWS) == set(BatchState), "every batch state needs a row in BATCH_FOLLOWS"

_ENDS = frozenset({GenerationState.COMPLETED, GenerationState.PARTIAL, GenerationState.FAILED})

GENERATION_FOLLOWS: Mapping[GenerationState, frozenset[GenerationState]] = {
    # Failed without having started: it waited for longer than GENERATION_TIMEOUT_MINUTES.
    GenerationState.PENDING: frozenset(
        {GenerationState.PROCESSING, GenerationState.PAUSED, GenerationState.CANCELLED, GenerationState.FAILED}
    ),
    GenerationState.PROCESSING: _ENDS | {GenerationState.PAUSED, GenerationState.CANCELLED},
    # What was on its way when the pause came may be the last that was missing.
    GenerationState.PAUSED: _ENDS | {GenerationState.PENDING, GenerationState.PROCESSING, GenerationState.CANCELLED},
    GenerationState.COMPLETED: frozenset(),
    # A retry, or a batch accepted with what it holds: that writes a new end.
    GenerationState.PARTIAL: frozenset(
        {GenerationState.PROCESSING, GenerationState.PARTIAL, GenerationState.COMPLETED}
    ),
    GenerationState.FAILED: frozenset({GenerationState.PROCESSING, GenerationState.PARTIAL, GenerationState.COMPLETED}),
    GenerationState.CANCELLED: frozenset(),
}
assert set(GENERATION_FOLLOWS) == set(GenerationState), "every generation state needs a row in GENERATION_FOLLOWS"

CLAIMABLE = frozenset({GenerationState.PENDING, GenerationState.PROCESSING})
"""States of a generation in which its batches may be worked on."""


def batch_sources(target: BatchState) -> frozenset[BatchState]:
    """The states from which a batch may become `target`."""
    return _sources(BATCH_FOLLOWS, target)


def generation_sources(target: GenerationState) -> frozenset[GenerationState]:
    """The states from which a generation may become `target`."""
    return _sources(GENERATION_FOLLOWS, target)


def _sources(follows: Mapping[State, frozenset[State]], target: State) -> frozenset[State]:
    return frozenset(source for source, targets in follows.items() if target in targets)
