"""The door to the database: what passes is kept at once, together with all that gathers meanwhile."""

import asyncio

import pytest

from jobs.checkpoint import REJECTION_CHARACTERS_MAX, Checkpoint
from jobs.checks import Rejection
from jobs.workshop import Workshop
from schemas.plans import Claim
from schemas.questions import Draft, ShortAnswer
from service.errors import LeaseLost
from tests import factories
from tests.factories import Ordered
from tests.scripted import Gate, ScriptedProvider, fact, facts, stem, unproved
from tests.workbench import WAIT_SECONDS, Workbench, troubled


async def claimed(bench: Workbench, ordered: Ordered, position: int = 0) -> tuple[Workshop, Claim, Checkpoint]:
    """A batch in the hands of a worker, and the door of it."""
    workshop = bench.workshop(ScriptedProvider())
    claim = await factories.claim(bench.database, ordered.batch_ids[position], worker=workshop.worker)
    return workshop, claim, await Checkpoint.open(workshop, claim)


async def accepted(bench: Workbench, ordered: Ordered) -> list[tuple[object, object, object]]:
    """What the log tells of held questions: count, target and preview."""
    log = await factories.log(bench.database, ordered)
    return [
        (event["held_count"], event["target_count"], event["preview"])
        for event in log
        if event["type"] == "question.accepted"
    ]


async def test_what_passes_is_held_and_told_in_the_order_it_came(bench: Workbench) -> None:
    ordered = await bench.order(5)
    _, _, checkpoint = await claimed(bench, ordered)
    for draft in facts(0, 3):
        assert checkpoint.offer(draft) is None
    await checkpoint.settle()
    assert checkpoint.held_count == 3
    assert checkpoint.missing_count == 2
    assert await accepted(bench, ordered) == [(number + 1, 5, stem(number)) for number in range(3)]
    assert (await factories.batch_row(bench.database, ordered.batch_ids[0])).held_count == 3
    assert await factories.findings(bench.database) == ()


async def test_what_gathers_while_one_transaction_runs_goes_into_the_next(bench: Workbench) -> None:
    ordered = await bench.order(40)
    workshop, _, checkpoint = await claimed(bench, ordered)
    database = troubled(workshop)
    gate = database.write_gate = Gate()
    checkpoint.offer(fact(0))
    await gate.reached.wait()
    for number in range(1, 40):
        checkpoint.offer(fact(number))
    assert checkpoint.missing_count == 0, "what is on its way counts"
    assert checkpoint.held_count == 0
    gate.opened.set()
    await checkpoint.settle()
    assert checkpoint.held_count == 40
    assert database.writes == 2
    assert len(await accepted(bench, ordered)) == 40
    assert await factories.findings(bench.database) == ()


async def test_a_rejection_is_said_and_told_but_not_at_any_length(bench: Workbench) -> None:
    ordered = await bench.order(2)
    _, claim, checkpoint = await claimed(bench, ordered)
    said = checkpoint.offer(unproved(0))
    assert isinstance(said, Rejection)
    checkpoint.reject("schema", "x" * 1000)
    await checkpoint.settle()
    told = [event for event in await factories.log(bench.database, ordered) if event["type"] == "question.rejected"]
    assert [(event["batch_id"], event["code"], event["message"]) for event in told] == [
        (str(claim.batch_id), said.code, said.message),
        (str(claim.batch_id), "schema", "x" * REJECTION_CHARACTERS_MAX),
    ]
    assert checkpoint.missing_count == 2


def in_english(number: int) -> Draft:
    """As a model answers that forgot which language it was asked for."""
    return fact(number).model_copy(update={"explanation": "It is what the sentence in the module says about this."})


def in_german(number: int) -> Draft:
    content = fact(number).content
    assert isinstance(content, ShortAnswer)
    words = content.stem.split()
    stem = f"Was ist es, das in der {words[1]} das {words[3]} und das {words[5].rstrip('?')} hält?"
    return fact(number).model_copy(update={"content": content.model_copy(update={"stem": stem})})


async def test_a_batch_in_the_wrong_language_is_corrected_and_the_right_one_is_held(bench: Workbench) -> None:
    ordered = await bench.order(5)
    workshop = bench.workshop(ScriptedProvider())
    claim = await factories.claim(bench.database, ordered.batch_ids[0], worker=workshop.worker)
    checkpoint = await Checkpoint.open(workshop, claim.model_copy(update={"language": "de-AT"}))

    said = [checkpoint.offer(in_english(number)) for number in range(4)]
    assert [rejection.code for rejection in said if rejection] == ["wrong_language"] * 4
    assert said[0] is not None
    assert said[0].message == (
        "The questions are not written in German (de-AT); write everything but the quote in German (de-AT)."
    )
    assert [checkpoint.offer(in_german(number)) for number in range(4)] == [None] * 4, "also of the same facts"
    await checkpoint.settle()
    assert checkpoint.held_count == 4
    assert await factories.findings(bench.database) == ()


async def test_what_is_in_the_quiz_s_language_is_never_turned_down_for_it(bench: Workbench) -> None:
    ordered = await bench.order(5)
    _, _, checkpoint = await claimed(bench, ordered)
    assert [checkpoint.offer(in_english(number)) for number in range(5)] == [None] * 5
    await checkpoint.settle()


async def test_the_same_question_is_kept_once(bench: Workbench) -> None:
    ordered = await bench.order(5)
    _, _, checkpoint = await claimed(bench, ordered)
    assert checkpoint.offer(fact(0)) is None
    again = checkpoint.offer(fact(0))
    assert again is not None
    assert again.code == "near_duplicate"
    await checkpoint.settle()
    assert checkpoint.held_count == 1


async def test_what_an_earlier_attempt_holds_is_known(bench: Workbench) -> None:
    ordered = await bench.order(3)
    _, claim, checkpoint = await claimed(bench, ordered)
    checkpoint.offer(fact(0))
    await checkpoint.settle()
    await bench.release(claim)
    _, _, later = await claimed(bench, ordered)
    assert later.held_count == 1
    repeated = later.offer(fact(0))
    assert repeated is not None
    assert repeated.code == "near_duplicate"
    await later.settle()


async def test_a_question_that_another_batch_has_entered_meanwhile_is_rejected_under_the_lock(
    bench: Workbench,
) -> None:
    ordered = await bench.order(2, 2)
    _, _, faster = await claimed(bench, ordered, 0)
    _, slow_claim, slower = await claimed(bench, ordered, 1)
    faster.offer(fact(0))
    await faster.settle()

    assert slower.offer(fact(0)) is None, "it can't know yet"
    slower.offer(fact(1))
    await slower.settle()

    assert slower.held_count == 1
    assert slower.missing_count == 1
    told = [event for event in await factories.log(bench.database, ordered) if event["type"] == "question.rejected"]
    assert [(event["batch_id"], event["code"]) for event in told] == [(str(slow_claim.batch_id), "near_duplicate")]
    known = slower.offer(fact(0))
    assert known is not None, "from now on it knows"
    await slower.settle()
    assert await factories.findings(bench.database) == ()


async def test_a_commit_nobody_heard_of_is_not_repeated(bench: Workbench) -> None:
    ordered = await bench.order(5)
    workshop, _, checkpoint = await claimed(bench, ordered)
    troubled(workshop).answers_lost = 1
    for draft in facts(0, 2):
        checkpoint.offer(draft)
    await checkpoint.settle()
    assert checkpoint.held_count == 2
    assert await accepted(bench, ordered) == [(1, 5, stem(0)), (2, 5, stem(1))]
    assert await factories.findings(bench.database) == ()


async def test_what_is_offered_while_a_transaction_has_looked_is_compared_with_what_it_saw(bench: Workbench) -> None:
    ordered = await bench.order(2, 3)
    _, _, faster = await claimed(bench, ordered, 0)
    workshop, _, slower = await claimed(bench, ordered, 1)
    faster.offer(fact(0))
    await faster.settle()
    gate = troubled(workshop).commit_gate = Gate()

    slower.offer(fact(1))
    await gate.reached.wait()
    assert slower.offer(fact(0)) is None, "only the transaction knows yet"
    gate.opened.set()
    await slower.settle()

    assert slower.held_count == 1
    assert slower.missing_count == 2
    told = [event["code"] for event in await factories.log(bench.database, ordered) if "code" in event]
    assert told == ["near_duplicate"]
    assert await factories.findings(bench.database) == ()


@pytest.mark.parametrize("answers_lost", [0, 1])
async def test_what_a_transaction_saw_that_did_not_commit_is_looked_at_again(
    bench: Workbench, answers_lost: int
) -> None:
    ordered = await bench.order(2, 3)
    _, _, faster = await claimed(bench, ordered, 0)
    workshop, _, slower = await claimed(bench, ordered, 1)
    faster.offer(fact(0))
    await faster.settle()
    database = troubled(workshop)
    database.answers_lost = answers_lost
    database.commits_refused = 1

    slower.offer(fact(0))
    slower.offer(fact(1))
    await slower.settle()

    assert slower.held_count == 1
    told = [event["code"] for event in await factories.log(bench.database, ordered) if "code" in event]
    assert set(told) == {"near_duplicate"}
    assert await factories.findings(bench.database) == ()


async def test_a_lost_lease_lets_nothing_through(bench: Workbench) -> None:
    ordered = await bench.order(3)
    _, claim, checkpoint = await claimed(bench, ordered)
    await bench.release(claim)
    before = await factories.log(bench.database, ordered)
    checkpoint.offer(fact(0))
    with pytest.raises(LeaseLost, match="is no longer held by worker-1"):
        await checkpoint.settle()
    assert await factories.log(bench.database, ordered) == before
    assert (await factories.batch_row(bench.database, claim.batch_id)).held_count == 0


async def test_after_a_lost_lease_the_next_offer_says_so(bench: Workbench) -> None:
    ordered = await bench.order(3)
    _, claim, checkpoint = await claimed(bench, ordered)
    await bench.release(claim)
    checkpoint.offer(fact(0))
    with pytest.raises(LeaseLost):
        await checkpoint.settle()
    with pytest.raises(LeaseLost):
        checkpoint.offer(fact(1))


async def test_a_generation_that_was_cancelled_takes_no_more_questions(bench: Workbench) -> None:
    ordered = await bench.order(3)
    _, _, checkpoint = await claimed(bench, ordered)
    await bench.cancel(ordered)
    checkpoint.offer(fact(0))
    with pytest.raises(LeaseLost, match="wants no more work"):
        await checkpoint.settle()
    assert await factories.findings(bench.database) == ()


async def test_what_passed_is_written_to_the_end_when_the_waiting_is_cancelled(bench: Workbench) -> None:
    ordered = await bench.order(3)
    workshop, _, checkpoint = await claimed(bench, ordered)
    gate = troubled(workshop).write_gate = Gate()
    checkpoint.offer(fact(0))
    settling = asyncio.create_task(checkpoint.settle())
    await gate.reached.wait()
    for _ in range(3):
        settling.cancel()
        await asyncio.wait({settling}, timeout=0)
    gate.opened.set()
    async with asyncio.timeout(WAIT_SECONDS):
        with pytest.raises(asyncio.CancelledError):
            await settling
    assert checkpoint.held_count == 1
    assert (await factories.batch_row(bench.database, ordered.batch_ids[0])).held_count == 1


async def test_holding_extends_the_lease(bench: Workbench) -> None:
    ordered = await bench.order(3)
    claim = await factories.claim(bench.database, ordered.batch_ids[0], lease_seconds=1)
    before = (await factories.batch_row(bench.database, claim.batch_id)).lease_until
    checkpoint = await Checkpoint.open(bench.workshop(ScriptedProvider(), lease_seconds=30), claim)
    checkpoint.offer(fact(0))
    await checkpoint.settle()
    after = (await factories.batch_row(bench.database, claim.batch_id)).lease_until
    assert (after - before).total_seconds() > 28
