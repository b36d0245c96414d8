"""What the counts of a generation mean: its message, how it ends, what a retry would do."""

import math
from collections.abc import Sequence

from schemas.events import Totals
from schemas.generations import BatchError
from schemas.plans import Tally
from schemas.states import BatchState, ErrorCode, GenerationState

QUESTIONS_PER_MINUTE = 100
"""A cautious guess of what one worker makes with an LLM, for the estimate in the message only."""

OPEN = frozenset({BatchState.PENDING, BatchState.PROCESSING})


def ending(tallies: Sequence[Tally]) -> GenerationState | None:
    """How the generation ends, or None while a batch is open."""
    states = [tally.state for tally in tallies]
    if any(state in OPEN for state in states):
        return None
    completed = states.count(BatchState.COMPLETED)
    if completed == len(states):
        return GenerationState.COMPLETED
    return GenerationState.PARTIAL if completed else GenerationState.FAILED


def open_count(tallies: Sequence[Tally]) -> int:
    """How many questions are still to be asked for."""
    return sum(tally.target_count - tally.saved_count - tally.held_count for tally in tallies if tally.state in OPEN)


def totals(tallies: Sequence[Tally]) -> Totals:
    return Totals(
        target=sum(tally.target_count for tally in tallies),
        saved=sum(tally.saved_count for tally in tallies),
        held=sum(tally.held_count for tally in tallies),
        batches=len(tallies),
        batches_completed=sum(tally.state is BatchState.COMPLETED for tally in tallies),
        batches_failed=sum(tally.state is BatchState.FAILED for tally in tallies),
    )


WAITING = {
    ErrorCode.PROVIDER_OVERLOADED: "Waiting for the provider, which is overloaded.",
    ErrorCode.PROVIDER_RATE_LIMITED: "Waiting for the provider, whose rate limit is reached.",
    ErrorCode.PROVIDER_UNAVAILABLE: "Waiting for the provider, which can't be reached.",
    ErrorCode.TIMEOUT: "Waiting for the provider, which does not answer.",
}
"""While nothing else happens; the page says the same (web/static/state.js)."""


def message(state: GenerationState, requested: int, saved: int, *, waiting_for: ErrorCode | None = None) -> str:
    """The one line that sums up a generation (CONTRACT 4)."""
    done = f"{saved:,} of {requested:,} {'question' if requested == 1 else 'questions'} created"
    if waiting_for in WAITING:
        return f"{WAITING[waiting_for]} {done}"
    if saved or state not in {GenerationState.PENDING, GenerationState.PROCESSING}:
        return done
    minutes = math.ceil(requested / QUESTIONS_PER_MINUTE)
    return f"Generating... usually under {minutes} {'minute' if minutes == 1 else 'minutes'}. {done}"


def can_resume(state: GenerationState, failed_batches: int) -> bool:
    """True while a retry or resume would do something."""
    if state is GenerationState.PAUSED:
        return True
    return state in {GenerationState.PARTIAL, GenerationState.FAILED} and failed_batches > 0


def summary(errors: Sequence[BatchError]) -> BatchError | None:
    """One reason for the whole generation: that of most failed batches, the first where they are equal."""
    if not errors:
        return None
    codes = [error.code for error in errors]
    code = max(codes, key=codes.count)
    count = codes.count(code)
    first = next(error for error in errors if error.code is code)
    if len(errors) == 1:
        return first
    return BatchError(code=code, message=f"{len(errors)} batches failed, {count} of them with {code}: {first.message}")
