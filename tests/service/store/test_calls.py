"""One row a call: written once, summed by generation, batch and attempt, and what they teach."""

import pytest

from schemas.calls import Call, CallOutcome, CallTotals, Usage, Waste
from schemas.states import QuestionType
from service.store import attempts, budget, calls, steps
from service.store.database import Database
from tests import factories
from tests.factories import OVERLOADED, SPENT

TOTALS = CallTotals(
    llm_calls=3, wasted_calls=1, input_tokens=900, output_tokens=80, cache_read_tokens=40, cost_usd=0.25
)
"""The sums of SPENT."""


def call(number: int = 1, outcome: CallOutcome = CallOutcome.EMPTY, **changes: object) -> Call:
    return Call(number=number, model="m", outcome=outcome).model_copy(update=changes)


async def test_writing_a_call_twice_counts_it_once(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        await calls.insert(tx, [(claimed, SPENT[:1])])
        await calls.insert(tx, [(claimed, SPENT)])
        await calls.insert(tx, [(claimed, SPENT)])
        await calls.insert(tx, [(claimed, ())])
    assert (await factories.load(database, ordered)).usage.llm_calls == 3


async def test_sums_are_over_all_tries_of_a_generation_by_batch_and_by_attempt(database: Database) -> None:
    ordered = await factories.make_partial(database)
    fresh = await factories.make_order(database, 2)
    generation = await factories.load(database, ordered)
    usage = generation.usage
    assert (usage.llm_calls, usage.wasted_calls, usage.input_tokens) == (6, 2, 1800)
    assert usage.cost_usd == pytest.approx(0.5)
    assert usage.cost_per_accepted_usd == pytest.approx(0.5 / 5), "two are saved and three held"
    assert [batch.usage for batch in generation.batches] == [TOTALS, TOTALS]
    assert (await factories.load(database, fresh)).usage == Usage()
    async with database.read() as tx:
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert [tried.cost_usd for tried in tries] == [0.25, 0.25]
    assert await factories.findings(database) == ()


async def test_a_price_that_is_unknown_is_no_price_of_nothing(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    ended = [call(1, CallOutcome.ACCEPTED, accepted_count=1, output_tokens=9), call(2, cost_usd=0.5, input_tokens=7)]
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]), spent=ended)
    usage = (await factories.load(database, ordered)).usage
    assert (usage.cost_usd, usage.unpriced_calls, usage.cost_per_accepted_usd) == (0.5, 1, None)
    assert (usage.input_tokens, usage.output_tokens) == (7, 9)


async def test_waste_is_told_by_its_reason_the_dearest_first(database: Database) -> None:
    ordered = await factories.make_order(database, 1)
    ended = [
        call(1, CallOutcome.TIMEOUT, cost_usd=0.1, output_tokens=5),
        call(2, CallOutcome.DUPLICATE, cost_usd=0.2, output_tokens=50),
        call(3, CallOutcome.TIMEOUT, cost_usd=0.3, output_tokens=5),
        call(4, CallOutcome.ACCEPTED, accepted_count=1, cost_usd=9),
    ]
    await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]), spent=ended)
    assert (await factories.load(database, ordered)).usage.waste == (
        Waste(reason=CallOutcome.TIMEOUT, calls=2, output_tokens=10, cost_usd=0.4),
        Waste(reason=CallOutcome.DUPLICATE, calls=1, output_tokens=50, cost_usd=0.2),
    )


async def test_calls_that_a_cancellation_cut_are_charged_later_and_those_of_a_lost_worker_are_not(
    database: Database,
) -> None:
    ordered = await factories.make_order(database, 2, 2)
    lost, cancelled = [await factories.claim(database, batch_id) for batch_id in ordered.batch_ids]
    async with database.write() as tx:
        await steps.take_back(tx, lost, only_expired=False)
        await steps.cancel(tx, ordered.generation_id)
        for claim in (lost, cancelled):
            await budget.charge_late(tx, claim, [call(1, CallOutcome.CANCELLED, output_tokens=50)])
        [tries] = (await attempts.of_generation(tx, ordered.generation_id)).values()
    assert {tried.batch_id: tried.output_tokens for tried in tries} == {lost.batch_id: 0, cancelled.batch_id: 50}
    assert await factories.findings(database) == ()


async def test_an_attempt_that_is_not_finished_counts_already(database: Database) -> None:
    ordered = await factories.make_order(database, 2)
    claimed = await factories.claim(database, ordered.batch_ids[0])
    async with database.write() as tx:
        assert await budget.charge(tx, [(claimed, SPENT)]) is None
    assert (await factories.load(database, ordered)).batches[0].usage == TOTALS
    async with database.write() as tx:
        await steps.delay(tx, claimed, OVERLOADED, SPENT, delay_seconds=0)
    assert (await factories.load(database, ordered)).batches[0].usage == TOTALS, "what is written stays as it is"


async def test_what_calls_were_like_is_known_by_model_and_type(database: Database) -> None:
    cards = await factories.make_order(database, 2, question_type=QuestionType.FLASHCARD)
    choices = await factories.make_order(database, 2)
    for ordered in (cards, choices):
        await factories.complete(database, await factories.claim(database, ordered.batch_ids[0]))
    async with database.read() as tx:
        found = await calls.experience(tx, "m")
        assert await calls.experience(tx, "another") == {}
    assert set(found) == {QuestionType.FLASHCARD, QuestionType.MULTIPLE_CHOICE}
    known = found[QuestionType.FLASHCARD]
    assert (known.calls, known.accepted_count, known.output_tokens, known.seconds) == (3, 5, 80, 5)
