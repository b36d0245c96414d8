"""What several batches of a generation bring is kept in one transaction, as if each had come alone."""

import asyncio

import pytest

from jobs.checkpoint import Checkpoint
from jobs.workshop import Workshop
from service.errors import LeaseLost
from tests import factories
from tests.factories import Ordered
from tests.scripted import Gate, ScriptedProvider, fact
from tests.workbench import Workbench, troubled


async def opened(bench: Workbench, ordered: Ordered) -> tuple[Workshop, list[Checkpoint]]:
    """All batches in the hands of one worker."""
    workshop = bench.workshop(ScriptedProvider())
    claims = [await factories.claim(bench.database, batch_id, worker=workshop.worker) for batch_id in ordered.batch_ids]
    return workshop, [await Checkpoint.open(workshop, claim) for claim in claims]


async def held_up(workshop: Workshop, first: Checkpoint) -> Gate:
    """A transaction that waits before it begins: what others bring gathers behind it."""
    gate = troubled(workshop).write_gate = Gate()
    first.offer(fact(0))
    await gate.reached.wait()
    return gate


async def settled(*checkpoints: Checkpoint) -> list[BaseException | None]:
    return await asyncio.gather(*(checkpoint.settle() for checkpoint in checkpoints), return_exceptions=True)


async def test_batches_that_wait_together_are_held_together(bench: Workbench) -> None:
    ordered = await bench.order(1, 2, 2)
    workshop, (first, *others) = await opened(bench, ordered)
    gate = await held_up(workshop, first)
    for number, checkpoint in enumerate(others):
        checkpoint.offer(fact(2 * number + 1))
        checkpoint.offer(fact(2 * number + 2))
    await asyncio.sleep(0)
    gate.opened.set()

    assert await settled(first, *others) == [None] * 3

    assert troubled(workshop).writes == 2
    assert [checkpoint.held_count for checkpoint in (first, *others)] == [1, 2, 2]
    told = [event for event in await factories.log(bench.database, ordered) if event["type"] == "question.accepted"]
    assert [(event["batch_id"], event["held_count"], event["totals"]["held"]) for event in told] == [
        (str(batch_id), held, total)
        for batch_id, held, total in zip(
            (ordered.batch_ids[place] for place in (0, 1, 1, 2, 2)), (1, 1, 2, 1, 2), range(1, 6), strict=True
        )
    ]
    assert await factories.findings(bench.database) == ()


async def test_of_the_same_question_in_one_transaction_the_first_is_kept(bench: Workbench) -> None:
    ordered = await bench.order(1, 2, 2)
    workshop, (first, *others) = await opened(bench, ordered)
    gate = await held_up(workshop, first)
    for checkpoint in others:
        checkpoint.offer(fact(1))
    await asyncio.sleep(0)
    gate.opened.set()

    await settled(first, *others)

    assert [checkpoint.held_count for checkpoint in others] == [1, 0]
    told = [event for event in await factories.log(bench.database, ordered) if event["type"] == "question.rejected"]
    assert [(event["batch_id"], event["code"]) for event in told] == [(str(ordered.batch_ids[2]), "near_duplicate")]
    others[1].offer(fact(2))
    await others[1].settle()
    known = others[1].offer(fact(1))
    assert known is not None, "after its next look it knows"
    await others[1].settle()
    assert await factories.findings(bench.database) == ()


async def test_what_a_batch_of_the_same_worker_has_entered_since_is_compared_too(bench: Workbench) -> None:
    ordered = await bench.order(1, 2)
    workshop, (first, second) = await opened(bench, ordered)
    gate = await held_up(workshop, first)
    assert second.offer(fact(0)) is None, "it can't know yet"
    gate.opened.set()

    assert await settled(first, second) == [None, None]
    assert [checkpoint.held_count for checkpoint in (first, second)] == [1, 0]
    assert await factories.findings(bench.database) == ()


async def test_what_the_bank_has_learned_while_a_question_waited_is_compared_too(bench: Workbench) -> None:
    ordered = await bench.order(1, 2, 1, 1)
    workshop, elsewhere = (bench.workshop(ScriptedProvider(), name) for name in ("worker-1", "worker-2"))
    first, second, other = [
        await Checkpoint.open(at, await factories.claim(bench.database, batch_id, worker=at.worker))
        for at, batch_id in zip((workshop, workshop, elsewhere), ordered.batch_ids[:3], strict=True)
    ]
    gate = await held_up(workshop, first)
    assert second.offer(fact(1)) is None, "it can't know yet"
    other.offer(fact(1))
    await other.settle()
    last = await factories.claim(bench.database, ordered.batch_ids[3], worker=workshop.worker)
    await Checkpoint.open(workshop, last)
    gate.opened.set()

    assert await settled(first, second) == [None, None]
    assert [checkpoint.held_count for checkpoint in (first, second, other)] == [1, 0, 1]
    assert await factories.findings(bench.database) == ()


async def test_a_batch_that_was_lost_takes_no_other_with_it(bench: Workbench) -> None:
    ordered = await bench.order(1, 2, 2)
    workshop, (first, lost, kept) = await opened(bench, ordered)
    gate = await held_up(workshop, first)
    await bench.release(lost.claim)
    lost.offer(fact(1))
    kept.offer(fact(2))
    await asyncio.sleep(0)
    gate.opened.set()

    outcomes = await settled(first, lost, kept)

    assert [type(outcome) for outcome in outcomes] == [type(None), LeaseLost, type(None)]
    assert kept.held_count == 1
    assert (await factories.batch_row(bench.database, lost.claim.batch_id)).held_count == 0
    assert await factories.findings(bench.database) == ()


@pytest.mark.parametrize("answers_lost", [0, 1])
async def test_a_transaction_that_is_done_again_keeps_each_question_once(bench: Workbench, answers_lost: int) -> None:
    ordered = await bench.order(1, 2, 2)
    workshop, (first, *others) = await opened(bench, ordered)
    gate = await held_up(workshop, first)
    for checkpoint in others:
        checkpoint.offer(fact(1))
    await asyncio.sleep(0)
    database = troubled(workshop)
    database.answers_lost, database.commits_refused = answers_lost, 1 - answers_lost
    gate.opened.set()

    await settled(first, *others)

    assert [checkpoint.held_count for checkpoint in (first, *others)] == [1, 1, 0]
    assert await factories.findings(bench.database) == ()
