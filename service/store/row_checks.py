"""What must be true of the rows of one generation beyond what the database's own constraints hold. Pure.

Every check returns a sentence for each thing that is not so.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from uuid import UUID

import sqlalchemy as sa

from schemas.plans import Tally
from schemas.states import AttemptOutcome, BatchState, GenerationState, QuestionState
from service.rules import lifecycle, progress

Row = sa.Row[*tuple[object, ...]]

BETWEEN = frozenset(
    {AttemptOutcome.RETRYING, AttemptOutcome.FAILED, AttemptOutcome.WORKER_LOST, AttemptOutcome.RELEASED}
)
"""How an attempt may have ended after which there is or may be another one."""

LAST_OUTCOMES: Mapping[BatchState, frozenset[AttemptOutcome]] = {
    BatchState.PENDING: BETWEEN,
    BatchState.PROCESSING: frozenset({AttemptOutcome.RUNNING}),
    BatchState.COMPLETED: frozenset({AttemptOutcome.COMPLETED}),
    BatchState.FAILED: frozenset({AttemptOutcome.FAILED}),
    BatchState.CANCELLED: BETWEEN | {AttemptOutcome.CANCELLED},
}
assert set(LAST_OUTCOMES) == set(BatchState), "every batch state needs a row in LAST_OUTCOMES"

HAS_STARTED = {GenerationState.PENDING: False, GenerationState.PROCESSING: True}
"""In the other states either may be."""


@dataclass(frozen=True)
class Rows:
    """One generation. Batches in their order; questions by slot, attempts by number and calls by fence, per batch."""

    generation: Row
    batches: Sequence[Row]
    tallies: Sequence[Tally]
    questions: Mapping[UUID, Sequence[Row]]
    attempts: Mapping[UUID, Sequence[Row]]
    calls: Mapping[UUID, Sequence[Row]]
    texts: Mapping[UUID, str]

    def of_batches(self) -> Iterator[tuple[Row, Sequence[Row], Sequence[Row]]]:
        for batch in self.batches:
            yield batch, self.questions.get(batch.id, ()), self.attempts.get(batch.id, ())


def batch_counts(rows: Rows) -> Iterator[str]:
    """requested = saved + held + missing: what a batch counts is what it has; saved is all of it or nothing."""
    for batch, questions, _ in rows.of_batches():
        states = Counter(question.state for question in questions)
        held, saved = states[QuestionState.HELD], states[QuestionState.SAVED]
        if (batch.held_count, batch.saved_count) != (held, saved):
            yield (
                f"batch {batch.id} counts {batch.held_count} held and {batch.saved_count} saved,"
                f" but has {held} and {saved}"
            )
        if saved != (batch.target_count if batch.state == BatchState.COMPLETED else 0):
            yield f"batch {batch.id} is {batch.state} with {saved} of {batch.target_count} saved"
        if held + saved > batch.target_count:
            yield f"batch {batch.id} has {held + saved} questions for {batch.target_count} slots"


def slots(rows: Rows) -> Iterator[str]:
    """Taken from 0 on, each once, without a hole."""
    for batch, questions, _ in rows.of_batches():
        taken = [question.slot for question in questions]
        if taken != list(range(len(taken))):
            yield f"batch {batch.id} has {len(taken)} questions up to slot {taken[-1]}"


def uniqueness(rows: Rows) -> Iterator[str]:
    """No question twice in a generation."""
    hashes = Counter(question.fingerprint_hash for _, questions, _ in rows.of_batches() for question in questions)
    for fingerprint, count in hashes.items():
        if count > 1:
            yield f"the question with the hash {fingerprint} is there {count} times"


def fences(rows: Rows) -> Iterator[str]:
    """A fence only rises: from attempt to attempt, from question to question, up to the batch's own.

    Attempts are compared in the order of their numbers, which were given under the lock: clocks may be set back.
    """
    for batch, questions, attempts in rows.of_batches():
        tried = [attempt.fence for attempt in attempts]
        held = [question.fence for question in questions]
        highest = max((*tried, *held), default=0)
        if highest > batch.fence:
            yield f"batch {batch.id} is at fence {batch.fence}, but was worked on under {highest}"
        if any(first >= second for first, second in pairwise(tried)):
            yield f"batch {batch.id} was tried under the fences {tried}"
        if any(first > second for first, second in pairwise(held)):
            yield f"batch {batch.id} was filled under the fences {held}"
        if tried and not set(held) <= set(tried):
            yield f"batch {batch.id} was filled under the fences {sorted(set(held) - set(tried))}, which no attempt had"


def attempts(rows: Rows) -> Iterator[str]:
    """Numbered 1, 2, 3 ...; the last one ended as the batch's state says, those before it in the hope of another."""
    for batch, _, tries in rows.of_batches():
        numbers = [attempt.number for attempt in tries]
        if numbers and numbers != list(range(1, batch.attempts + 1)):
            yield f"batch {batch.id} counts {batch.attempts} attempts, but has the numbers {numbers}"
        for attempt in tries:
            allowed = LAST_OUTCOMES[BatchState(batch.state)] if attempt is tries[-1] else BETWEEN
            if attempt.outcome not in allowed:
                yield f"batch {batch.id} is {batch.state}, but attempt {attempt.number} is {attempt.outcome}"
            if (attempt.ended_at is None) != (attempt.outcome == AttemptOutcome.RUNNING):
                yield f"attempt {attempt.number} of batch {batch.id} is {attempt.outcome}, ended {attempt.ended_at}"
        if batch.state == BatchState.PROCESSING and (
            not tries or (tries[-1].fence, tries[-1].worker) != (batch.fence, batch.lease_owner)
        ):
            yield f"batch {batch.id} is leased to {batch.lease_owner}, but the last attempt is not that one's"


def calls(rows: Rows) -> Iterator[str]:
    """Each belongs to an attempt at its batch, and an attempt's are numbered 1, 2, 3 ..."""
    for batch, _, tries in rows.of_batches():
        asked = rows.calls.get(batch.id, ())
        if any(call.generation_id != rows.generation.id for call in asked):
            yield f"a call for batch {batch.id} says that it is another generation's"
        fences = {attempt.fence for attempt in tries}
        for fence, group in groupby(asked, key=lambda call: call.fence):
            numbers = [call.number for call in group]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"batch {batch.id} was asked for under fence {fence} in calls numbered {numbers}"
            if fences and fence not in fences:
                yield f"batch {batch.id} was asked for under fence {fence}, which no attempt had"


def leases(rows: Rows) -> Iterator[str]:
    """Who is at work has a lease; what waits is wanted in the queue, or nobody would ever come for it."""
    is_claimable = rows.generation.state in lifecycle.CLAIMABLE
    for batch in rows.batches:
        is_leased = batch.lease_owner is not None, batch.lease_until is not None
        is_pending = batch.state == BatchState.PENDING
        if is_leased != (batch.state == BatchState.PROCESSING,) * 2:
            yield f"batch {batch.id} is {batch.state}, leased to {batch.lease_owner} until {batch.lease_until}"
        if is_pending and is_claimable and batch.wanted_at is None:
            yield f"batch {batch.id} is pending, but nobody wants it in the queue"
        if not is_pending and (batch.wanted_at or batch.not_before):
            yield f"batch {batch.id} is {batch.state}, but wanted at {batch.wanted_at}, not before {batch.not_before}"
        if (batch.error_code is not None, batch.error_message is not None) != (batch.state == BatchState.FAILED,) * 2:
            yield f"batch {batch.id} is {batch.state} with the error {batch.error_code}: {batch.error_message}"


def belonging(rows: Rows) -> Iterator[str]:
    """Questions and attempts say the same as their batch about whose they are."""
    generation = rows.generation
    for batch, questions, tries in rows.of_batches():
        if batch.module_quiz_id != generation.quiz_id:
            yield f"batch {batch.id} is about a module of another quiz"
        whose = (generation.quiz_id, generation.id, batch.module_id, batch.question_type)
        for question in questions:
            if whose != (question.quiz_id, question.generation_id, question.module_id, question.question_type):
                yield f"question {question.id} says otherwise than its batch {batch.id} whose it is"
        if any(attempt.generation_id != generation.id for attempt in tries):
            yield f"an attempt at batch {batch.id} says that it is another generation's"


def evidence(rows: Rows) -> Iterator[str]:
    """Every quote stands in its module where the question says."""
    for _, questions, _ in rows.of_batches():
        for question in questions:
            start, end = question.evidence_start, question.evidence_end
            text = rows.texts[question.module_id]
            if not 0 <= start < end <= len(text) or text[start:end] != question.evidence_quote:
                yield f"question {question.id} quotes what its module does not say at {start} to {end}"


def state(rows: Rows) -> Iterator[str]:
    """A generation is where its batches are."""
    found = GenerationState(rows.generation.state)
    states = {tally.state for tally in rows.tallies}
    ending = progress.ending(rows.tallies)
    if found is GenerationState.CANCELLED:
        if progress.OPEN & states:
            yield "it is cancelled, but has open batches"
    elif (found.is_terminal or ending) and found is not ending:
        yield f"it is {found}, but its batches say {ending or 'not ended'}"
    if BatchState.CANCELLED in states and found is not GenerationState.CANCELLED:
        yield f"it is {found}, but has cancelled batches"
    has_started = rows.generation.started_at is not None
    if HAS_STARTED.get(found, has_started) is not has_started:
        yield f"it is {found}, but {'has' if has_started else 'has not'} started"


CHECKS: dict[str, Callable[[Rows], Iterator[str]]] = {
    "batch_counts": batch_counts,
    "slots": slots,
    "uniqueness": uniqueness,
    "fences": fences,
    "attempts": attempts,
    "calls": calls,
    "leases": leases,
    "belonging": belonging,
    "evidence": evidence,
    "state": state,
}
