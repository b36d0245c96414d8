"""Every step of a generation's life: the state change and its event, in the caller's transaction.

Each locks the generation first, changes state by compare-and-set, and writes what happened. What is returned says how
far the log grew: the caller announces it after the commit.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from schemas.calls import Call
from schemas.events import (
    ENDINGS,
    BatchCompleted,
    BatchFailed,
    BatchRequeued,
    BatchRetrying,
    BatchStarted,
    GenerationStarted,
    Happening,
    QuestionAccepted,
)
from schemas.generations import BatchError
from schemas.holdings import Holding
from schemas.orders import OrderOptions
from schemas.plans import BatchPlan, Claim, Place, Tally, Wakeup
from schemas.questions import preview_of
from schemas.states import AttemptOutcome, BatchState, ErrorCode, GenerationState, RequeueReason
from service.errors import Invalid, LeaseLost, StateConflict
from service.rules import lifecycle, planning, progress
from service.store import attempts, batches, budget, calls, events, generations, questions, reviews
from service.store.database import Tx

LOSSES_MAX = 5
"""Workers that may die over a batch in a row, without any progress, before it is given up as poisoned."""

PREVIEW_CHARACTERS_MAX = 200


async def order(tx: Tx, quiz_id: UUID, owner: str, plans: Sequence[BatchPlan], options: OrderOptions) -> UUID:
    """Create a generation and its batches, all of them wanted in the queue. Returns its id."""
    generation_id = uuid4()
    kind = planning.entity_type([plan.question_type for plan in plans])
    await generations.insert(tx, generation_id, quiz_id=quiz_id, owner=owner, entity_type=kind, options=options)
    await batches.insert(tx, generation_id, [(uuid4(), plan) for plan in plans])
    return generation_id


async def claim(
    tx: Tx, places: Sequence[Place], *, worker: str, lease_seconds: float
) -> tuple[list[Claim], list[Wakeup]]:
    """Take batches, all that can be taken of those at `places`.

    The others are unknown, someone else's, not due, or their generation wants no work.
    """
    claims: list[Claim] = []
    wakeups: list[Wakeup] = []
    # In the order of their ids: whoever locks several generations locks them in the same order.
    for generation_id, wanted in sorted((await batches.by_generation(tx, places)).items()):
        if await generations.lock(tx, generation_id) not in lifecycle.CLAIMABLE:
            continue
        taken = await batches.claim(tx, wanted, worker=worker, lease_seconds=lease_seconds)
        if not taken:
            continue
        started = await generations.start(tx, generation_id)
        now_ours = await batches.claimed(tx, taken)
        await attempts.begin(tx, now_ours)
        begun = [
            BatchStarted(batch_id=claim.batch_id, batch_key=claim.batch_key, attempt=claim.number) for claim in now_ours
        ]
        claims += now_ours
        wakeups.append(await events.append(tx, generation_id, [GenerationStarted(), *begun] if started else begun))
    return claims, wakeups


async def enter(tx: Tx, claim: Claim) -> None:
    """Lock the generation and check that it still wants the claim's work. Raises LeaseLost.

    A pause does not refuse what is on its way: nothing that passed is lost by it.
    """
    if (await generations.lock(tx, claim.generation_id)).is_terminal:
        raise LeaseLost(f"generation {claim.generation_id} wants no more work on batch {claim.batch_id}")


async def hold(tx: Tx, holdings: Sequence[Holding], *, lease_seconds: float) -> tuple[list[int], Wakeup | None]:
    """Keep what passed the checks and tell what did not, of batches of one generation that the caller has entered.

    Returns how many each batch holds now. Raises LeaseLost if one of them is someone else's.
    """
    counts = [(holding.claim, len(holding.sound)) for holding in holdings]
    before = await batches.hold(tx, counts, lease_seconds=lease_seconds)
    placed = list(zip(holdings, before, strict=True))
    await questions.hold(tx, placed)
    happenings = [happening for holding, count in placed for happening in _brought(holding, count)]
    generation_id = holdings[0].claim.generation_id
    wakeup = await events.append(tx, generation_id, happenings) if happenings else None
    return [count + len(holding.sound) for holding, count in placed], wakeup


def _brought(holding: Holding, before: int) -> list[Happening]:
    claim = holding.claim
    accepted = [
        QuestionAccepted(
            batch_id=claim.batch_id,
            held_count=held,
            target_count=claim.target_count,
            preview=preview_of(question.content)[:PREVIEW_CHARACTERS_MAX],
        )
        for held, question in enumerate(holding.sound, start=before + 1)
    ]
    return [*holding.rejected, *accepted]


async def wait(tx: Tx, claim: Claim, waiting: BatchRetrying, *, lease_seconds: float) -> Wakeup:
    """Tell that the batch waits in its worker's hands. Raises LeaseLost."""
    await enter(tx, claim)
    await batches.hold(tx, [(claim, 0)], lease_seconds=lease_seconds)
    return await events.append(tx, claim.generation_id, [waiting])


async def complete(tx: Tx, whole: Sequence[tuple[Claim, Sequence[Call]]]) -> list[Wakeup]:
    """Save whole batches of one generation, each with its calls that are not written yet.

    Returns the same for each. Raises LeaseLost, also when one of them is not whole.
    """
    claims = [claim for claim, _ in whole]
    await enter(tx, claims[0])
    await batches.complete(tx, claims)
    batch_ids = [claim.batch_id for claim in claims]
    saved, target = await questions.save(tx, batch_ids), sum(claim.target_count for claim in claims)
    assert saved == target, f"{len(claims)} batches hold {saved} rows for {target} slots"
    await reviews.replace(tx, claims[0].generation_id)
    await calls.insert(tx, whole)
    await attempts.end(tx, batch_ids, AttemptOutcome.COMPLETED)
    done = [
        BatchCompleted(
            batch_id=claim.batch_id,
            batch_key=claim.batch_key,
            saved_count=claim.target_count,
            target_count=claim.target_count,
        )
        for claim in claims
    ]
    wakeup = await close(tx, claims[0].generation_id, done)
    return [wakeup] * len(claims)


async def fail(tx: Tx, claim: Claim, error: BatchError, ended: Sequence[Call] = ()) -> Wakeup:
    """End the batch without saving; what it holds stays held. Raises LeaseLost.

    `ended`, here as below: calls that are not written yet.
    """
    await enter(tx, claim)
    await batches.fail(tx, claim, error)
    await calls.insert(tx, [(claim, ended)])
    return await _failed(tx, claim.generation_id, [claim.batch_id], error)


async def delay(tx: Tx, claim: Claim, error: BatchError, ended: Sequence[Call] = (), *, delay_seconds: float) -> Wakeup:
    """Give the batch back for another attempt after `delay_seconds`. Raises LeaseLost."""
    await enter(tx, claim)
    await batches.put_back(tx, claim, delay_seconds=delay_seconds, counts=True)
    await calls.insert(tx, [(claim, ended)])
    await attempts.end(tx, [claim.batch_id], AttemptOutcome.RETRYING, error=error)
    retrying = BatchRetrying(batch_id=claim.batch_id, code=error.code, delay_seconds=round(delay_seconds, 3))
    return await events.append(tx, claim.generation_id, [retrying])


async def release(tx: Tx, claim: Claim, ended: Sequence[Call] = ()) -> Wakeup:
    """The worker stops in good order: the batch is free at once, the try uncounted. Raises LeaseLost."""
    await enter(tx, claim)
    await batches.put_back(tx, claim, delay_seconds=0, counts=False)
    await calls.insert(tx, [(claim, ended)])
    await attempts.end(tx, [claim.batch_id], AttemptOutcome.RELEASED)
    return await events.append(tx, claim.generation_id, [_requeued(claim)])


async def take_back(tx: Tx, claim: Claim, *, only_expired: bool) -> Wakeup:
    """The worker is lost: someone else continues, unless too many were lost over it. Raises LeaseLost."""
    await generations.lock(tx, claim.generation_id)
    losses = await batches.take_back(tx, claim, only_expired=only_expired)
    await attempts.end(tx, [claim.batch_id], AttemptOutcome.WORKER_LOST)
    if losses < LOSSES_MAX:
        return await events.append(tx, claim.generation_id, [_requeued(claim)])
    error = BatchError(
        code=ErrorCode.POISONED, message=f"{losses} workers in a row died over this batch without any progress"
    )
    await batches.end_open(tx, claim.generation_id, BatchState.FAILED, error=error, batch_id=claim.batch_id)
    return await _failed(tx, claim.generation_id, [claim.batch_id], error)


async def expire(tx: Tx, generation_id: UUID, *, minutes: float) -> Wakeup | None:
    """End a generation that has been active for too long with what it has. None: it had ended."""
    if await generations.lock(tx, generation_id) not in lifecycle.CLAIMABLE:
        return None
    error = BatchError(code=ErrorCode.TIMEOUT, message=f"the generation was not done after {minutes:g} minutes")
    ended = await batches.end_open(tx, generation_id, BatchState.FAILED, error=error)
    return await _failed(tx, generation_id, ended, error) if ended else None


async def retry(
    tx: Tx,
    generation_id: UUID,
    batch_ids: Sequence[UUID] | None,
    *,
    model: str | None,
    dry_run: bool,
    cost_max_usd: float | None = None,
) -> tuple[list[UUID], Wakeup | None]:
    """Put failed batches back, all or the named ones, and nothing else.

    Returns their ids. Raises StateConflict when nothing has failed, it is running, a named batch has not failed, or the
    limit of its cost is reached: `cost_max_usd` is a new one.
    """
    state = await generations.lock(tx, generation_id)
    if state not in {GenerationState.PARTIAL, GenerationState.FAILED}:
        raise StateConflict(f"generation {generation_id} can't be retried: it is {state}")
    plan = (await batches.of_generations(tx, [generation_id]))[generation_id]
    failed = [batch for batch in plan if batch.status is BatchState.FAILED]
    if batch_ids is not None:
        _require_failed(batch_ids, {batch.id: batch.status for batch in plan})
        failed = [batch for batch in failed if batch.id in batch_ids]
    ids = [batch.id for batch in failed]
    await budget.require_room(tx, generation_id, cost_max_usd=cost_max_usd, verb="retried", dry_run=dry_run)
    if dry_run:
        return ids, None
    has_begun = await generations.run_again(tx, generation_id)
    assert has_begun, "the lock holds the state that was just read"
    await batches.requeue_failed(tx, ids, model=model)
    requeued = [
        BatchRequeued(batch_id=batch.id, batch_key=batch.batch_key, reason=RequeueReason.RETRY) for batch in failed
    ]
    return ids, await events.append(tx, generation_id, requeued)


async def cancel(tx: Tx, generation_id: UUID) -> Wakeup | None:
    """End it; finished batches and held questions stay. None: it was cancelled before. Raises StateConflict."""
    state = await generations.lock(tx, generation_id)
    if state is GenerationState.CANCELLED:
        return None
    if not await generations.end(tx, generation_id, GenerationState.CANCELLED):
        raise StateConflict(f"generation {generation_id} can't be cancelled: it is {state}")
    ended = await batches.end_open(tx, generation_id, BatchState.CANCELLED, error=None)
    await attempts.end(tx, ended, AttemptOutcome.CANCELLED)
    tallies = await batches.tallies(tx, generation_id)
    return await events.append(tx, generation_id, [_ended(GenerationState.CANCELLED, tallies)])


async def _failed(tx: Tx, generation_id: UUID, batch_ids: Sequence[UUID], error: BatchError) -> Wakeup:
    await attempts.fail_last(tx, batch_ids, error)
    plan = (await batches.of_generations(tx, [generation_id]))[generation_id]
    return await close(
        tx,
        generation_id,
        [
            BatchFailed(
                batch_id=batch.id,
                batch_key=batch.batch_key,
                held_count=batch.held_count,
                target_count=batch.target_count,
                error=error,
            )
            for batch in plan
            if batch.id in batch_ids
        ],
    )


async def close(tx: Tx, generation_id: UUID, happenings: Sequence[Happening]) -> Wakeup:
    """Write what happened, and end the generation when its last batch did."""
    if await batches.are_open(tx, generation_id):
        return await events.append(tx, generation_id, happenings)
    tallies = await batches.tallies(tx, generation_id)
    target = progress.ending(tallies)
    assert target, "no batch is open"
    has_ended = await generations.end(tx, generation_id, target)
    assert has_ended, "an open generation can end"
    return await events.append(tx, generation_id, [*happenings, _ended(target, tallies)])


def _ended(target: GenerationState, tallies: Sequence[Tally]) -> Happening:
    totals = progress.totals(tallies)
    failed = tuple(tally.batch_key for tally in tallies if tally.state is BatchState.FAILED)
    return ENDINGS[target](generated_count=totals.saved, requested_count=totals.target, failed_batches=failed)


def _requeued(claim: Claim) -> Happening:
    return BatchRequeued(batch_id=claim.batch_id, batch_key=claim.batch_key, reason=RequeueReason.WORKER_LOST)


def _require_failed(batch_ids: Sequence[UUID], states: dict[UUID, BatchState]) -> None:
    for position, batch_id in enumerate(batch_ids):
        if batch_id not in states:
            raise Invalid.field(f"batch_ids.{position}", f"{batch_id} is no batch of this generation")
        if states[batch_id] is not BatchState.FAILED:
            raise StateConflict(f"batch {batch_id} can't be retried: it is {states[batch_id]}")
