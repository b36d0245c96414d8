"""How a provider is asked until a batch is full: remainders, corrections, waiting, models and what it costs."""

import asyncio
import random
import time

import pytest

from jobs.asking import CORRECTIONS_SENT_MAX
from jobs.governor.governor import Wish
from jobs.providers.base import AnswerMalformed, ProviderRateLimited, ProviderRejected, Unreadable, Weight
from jobs.waiting import TROUBLES_MAX
from jobs.workshop import Workshop
from schemas.generations import BatchError
from schemas.orders import OrderOptions
from schemas.questions import Draft, ShortAnswer, preview_of
from schemas.states import ErrorCode, QuestionType
from tests import factories
from tests.scripted import OVERLOADED, TOO_LONG, USAGE, Gate, Part, ScriptedProvider, fact, facts, stem, unproved
from tests.workbench import Workbench, eventually

MALFORMED = AnswerMalformed("the answer is not JSON")
CORRECTIONS_MAX = 2


def limited(seconds: float | None = 0.02) -> ProviderRateLimited:
    return ProviderRateLimited("too many requests", retry_after_seconds=seconds)


async def ask_once(bench: Workbench, provider: ScriptedProvider, *, target: int = 3, **changes: object) -> BatchError:
    """One attempt at a batch, which must fail and be the last one; returns why it failed."""
    ordered = await bench.order(target)
    changes = {"generation_retries_max": 1, "corrections_max": CORRECTIONS_MAX, **changes}
    await bench.run(bench.workshop(provider, **changes), ordered.batch_ids[0])
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert batch.error is not None, f"it is {batch.status}"
    assert await factories.findings(bench.database) == ()
    return batch.error


async def fill(
    bench: Workbench, provider: ScriptedProvider, *, target: int, **changes: object
) -> list[dict[str, object]]:
    """One attempt, which must complete the batch; returns the log."""
    ordered = await bench.order(target)
    await bench.run(bench.workshop(provider, **changes), ordered.batch_ids[0])
    generation = await factories.load(bench.database, ordered)
    assert generation.status == "completed", generation
    assert generation.batches[0].attempts == 1
    assert await factories.findings(bench.database) == ()
    return await factories.log(bench.database, ordered)


async def test_only_what_is_missing_is_asked_for(bench: Workbench) -> None:
    provider = ScriptedProvider([*facts(0, 3), USAGE], [fact(3), USAGE], [fact(4), USAGE])
    await fill(bench, provider, target=5)
    assert [request.count for request in provider.requests] == [5, 2, 1]


async def test_what_an_earlier_attempt_holds_is_not_asked_for_again(bench: Workbench) -> None:
    ordered = await bench.order(4)
    [batch_id] = ordered.batch_ids
    provider = ScriptedProvider([*facts(0, 3), OVERLOADED], [fact(3), USAGE])
    workshop = bench.workshop(provider)
    await bench.run(workshop, batch_id)
    await bench.try_again(workshop, batch_id)
    assert [request.count for request in provider.requests] == [4, 1]
    assert [preview_of(question.content) for question in await factories.saved_questions(bench.database, ordered)] == [
        stem(number) for number in range(4)
    ]


async def test_a_request_carries_the_order_and_the_module(bench: Workbench) -> None:
    options = OrderOptions(instructions="Be kind.", model="wanted")
    ordered = await bench.order(1, question_type=QuestionType.SHORT_ANSWER, options=options)
    provider = ScriptedProvider([fact(0), USAGE])
    await bench.run(bench.workshop(provider), ordered.batch_ids[0])
    [request] = provider.requests
    assert request.source.module_id == ordered.module_ids[0]
    assert request.source.name == "Module 1"
    assert request.source.language == "en"
    assert request.question_type is QuestionType.SHORT_ANSWER
    assert (request.instructions, request.model, request.lane, request.lanes) == ("Be kind.", "wanted", 0, 1)


async def test_a_rejected_draft_is_sent_back_with_its_reason_and_only_once(bench: Workbench) -> None:
    provider = ScriptedProvider([fact(0), unproved(1), USAGE], [fact(2), USAGE], [fact(3), USAGE])
    log = await fill(bench, provider, target=3)
    first, second, third = provider.requests
    [rejected] = [event for event in log if event["type"] == "question.rejected"]
    assert rejected["code"] == "evidence_not_in_source"
    assert first.corrections == ()
    assert second.corrections == (rejected["message"],)
    assert third.corrections == ()


def in_german(number: int) -> Draft:
    """As a model writes that fell into the language of the material."""
    content = fact(number).content
    assert isinstance(content, ShortAnswer), "facts are asked as short answers"
    first, second, third = content.stem.removesuffix("?").split()[1::2]
    german = f"Welche ist die {first}, die nicht nur {second}, sondern auch die {third} bei sich hat?"
    return fact(number).model_copy(update={"content": content.model_copy(update={"stem": german})})


async def test_an_answer_in_the_wrong_language_is_sent_back_and_the_right_one_fills_the_batch(bench: Workbench) -> None:
    provider = ScriptedProvider([*map(in_german, range(3)), USAGE], [*facts(0, 3), USAGE])
    log = await fill(bench, provider, target=3)
    message = "The questions are not written in English (en); write everything but the quote in English (en)."
    assert provider.requests[1].corrections == (message,) * 3
    assert [event["code"] for event in log if event["type"] == "question.rejected"] == ["wrong_language"] * 3


async def test_a_model_that_keeps_to_the_wrong_language_fails_the_batch_with_that_reason(bench: Workbench) -> None:
    error = await ask_once(bench, ScriptedProvider(always=[*map(in_german, range(3)), USAGE]))
    assert error.code is ErrorCode.TOO_FEW_VALID
    assert "not written in English (en)" in error.message


async def test_what_can_not_be_read_as_a_question_is_sent_back_as_well(bench: Workbench) -> None:
    provider = ScriptedProvider([Unreadable(message="answer: must be a number"), USAGE], [fact(0), USAGE])
    log = await fill(bench, provider, target=1)
    assert provider.requests[1].corrections == ("answer: must be a number",)
    [rejected] = [event for event in log if event["type"] == "question.rejected"]
    assert (rejected["code"], rejected["message"]) == ("schema", "answer: must be a number")


async def test_of_many_reasons_the_last_ones_are_sent(bench: Workbench) -> None:
    complaints = [Unreadable(message=f"complaint {number}") for number in range(CORRECTIONS_SENT_MAX + 3)]
    provider = ScriptedProvider([*complaints, USAGE], [fact(0), USAGE])
    await fill(bench, provider, target=1)
    assert provider.requests[1].corrections == tuple(line.message for line in complaints[-CORRECTIONS_SENT_MAX:])


async def test_a_rate_limit_does_not_make_a_correction_forgotten(bench: Workbench) -> None:
    provider = ScriptedProvider([Unreadable(message="no key"), USAGE], [USAGE, limited()], [fact(0), USAGE])
    await fill(bench, provider, target=1)
    assert [request.corrections for request in provider.requests] == [(), ("no key",), ("no key",)]


async def test_what_the_quiz_asks_already_is_told_the_newest_last(bench: Workbench) -> None:
    first = await bench.order(3)
    await bench.run(bench.workshop(ScriptedProvider([*facts(0, 3), USAGE])), first.batch_ids[0])
    second = await bench.order(2, on=first)
    provider = ScriptedProvider([fact(3), USAGE], [fact(4), USAGE])
    await bench.run(bench.workshop(provider), second.batch_ids[0])
    assert [request.avoid for request in provider.requests] == [
        tuple(stem(number) for number in range(3)),
        tuple(stem(number) for number in range(4)),
    ]


async def test_what_other_modules_ask_is_told_only_after_one_of_it_came_again(bench: Workbench) -> None:
    ordered = await bench.order(2, 1)
    provider = ScriptedProvider([*facts(0, 2), USAGE], [fact(1), USAGE], [fact(2), USAGE])
    workshop = bench.workshop(provider)
    for batch_id in ordered.batch_ids:
        await bench.run(workshop, batch_id)
    assert [request.avoid for request in provider.requests] == [(), (), (stem(0), stem(1))]


async def test_calls_that_bring_nothing_sound_are_bounded(bench: Workbench) -> None:
    provider = ScriptedProvider([fact(0), USAGE], always=[unproved(1), USAGE])
    error = await ask_once(bench, provider)
    assert error.code is ErrorCode.TOO_FEW_VALID
    assert error.message.startswith("only 1 of 3 questions passed the checks; the last problem: The quote ")
    assert len(provider.requests) == 1 + 1 + CORRECTIONS_MAX


async def test_calls_that_bring_nothing_at_all_are_bounded(bench: Workbench) -> None:
    provider = ScriptedProvider(always=[USAGE])
    error = await ask_once(bench, provider)
    assert error == BatchError(code=ErrorCode.TOO_FEW_VALID, message="only 0 of 3 questions passed the checks")
    assert len(provider.requests) == 1 + CORRECTIONS_MAX


async def test_calls_that_only_repeat_themselves_are_bounded_and_called_so(bench: Workbench) -> None:
    provider = ScriptedProvider([fact(0), USAGE], always=[fact(0), USAGE])
    error = await ask_once(bench, provider)
    assert error.code is ErrorCode.DUPLICATE_QUESTIONS
    assert error.message == "only 1 of 3 questions are new: the rest repeats what the quiz asks already"
    assert len(provider.requests) == 1 + 1 + CORRECTIONS_MAX


async def test_answers_that_stay_malformed_are_bounded_and_called_so(bench: Workbench) -> None:
    provider = ScriptedProvider(always=[USAGE, MALFORMED])
    error = await ask_once(bench, provider)
    assert error == BatchError(code=ErrorCode.MALFORMED_ANSWER, message="the answer is not JSON")
    assert [request.corrections for request in provider.requests] == [(), *[(str(MALFORMED),)] * CORRECTIONS_MAX]


async def test_corrections_can_be_switched_off(bench: Workbench) -> None:
    provider = ScriptedProvider([MALFORMED])
    error = await ask_once(bench, provider, corrections_max=0)
    assert error.code is ErrorCode.MALFORMED_ANSWER


async def test_a_call_that_brings_something_earns_new_corrections(bench: Workbench) -> None:
    fruitless: list[Part] = [USAGE, MALFORMED]
    calls: list[list[Part]] = [
        fruitless,
        [fact(0), USAGE],
        fruitless,
        [fact(1), USAGE, MALFORMED],
        fruitless,
        [fact(2), USAGE],
    ]
    await fill(bench, ScriptedProvider(*calls), target=3, corrections_max=1)


async def test_nothing_is_kept_beyond_the_target_and_the_cost_is_waited_for(bench: Workbench) -> None:
    provider = ScriptedProvider([*facts(0, 5), USAGE, fact(5)])
    log = await fill(bench, provider, target=2)
    assert sum(event["type"] == "question.accepted" for event in log) == 2
    assert provider.cut == [0], "the call is closed once its cost is known"


async def test_a_provider_that_costs_nothing_is_closed_as_soon_as_the_batch_is_full(bench: Workbench) -> None:
    ordered = await bench.order(2)
    provider = ScriptedProvider([USAGE, *facts(0, 2), Gate()], is_metered=False)
    await bench.run(bench.workshop(provider), ordered.batch_ids[0])
    generation = await factories.load(bench.database, ordered)
    assert generation.status == "completed"
    assert provider.cut == [0]
    assert (generation.usage.llm_calls, generation.usage.wasted_calls) == (1, 0)


async def test_what_calls_cost_is_summed_and_wasted_ones_are_counted(bench: Workbench) -> None:
    ordered = await bench.order(3)
    provider = ScriptedProvider(
        [fact(0), fact(1), USAGE],
        [unproved(2), USAGE],
        [USAGE, OVERLOADED],
        [fact(2), USAGE],
    )
    workshop = bench.workshop(provider)
    await bench.run(workshop, ordered.batch_ids[0])
    await bench.try_again(workshop, ordered.batch_ids[0])
    usage = (await factories.load(bench.database, ordered)).usage
    assert (usage.llm_calls, usage.wasted_calls) == (4, 2)
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (400, 40, 20)
    assert usage.cost_usd == pytest.approx(2.0)


async def test_a_rate_limit_is_waited_for_without_using_up_an_attempt_and_told(bench: Workbench) -> None:
    provider = ScriptedProvider([fact(0), USAGE, limited(0.02)], [limited(0.03)], [fact(1), USAGE])
    started = time.monotonic()
    log = await fill(bench, provider, target=2)
    assert time.monotonic() - started >= 0.05
    told = [event for event in log if event["type"] == "batch.retrying"]
    assert [(event["code"], event["delay_seconds"]) for event in told] == [
        ("provider_rate_limited", 0.02),
        ("provider_rate_limited", 0.03),
    ]
    assert [request.count for request in provider.requests] == [2, 1, 1]


async def test_a_rate_limit_that_one_batch_meets_holds_back_all(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    provider = ScriptedProvider([limited(0.3)], always=[fact(0), fact(1), USAGE])
    workshop = bench.workshop(provider)
    began = time.monotonic()
    async with bench.running(workshop, ordered.batch_ids[0]) as first:
        await eventually(lambda: len(provider.requests) == 1)
        await bench.run(workshop, ordered.batch_ids[1])
        assert time.monotonic() - began >= 0.3
        await first
    assert (await factories.load(bench.database, ordered)).status == "completed"


async def test_a_provider_that_limits_for_too_long_fails_the_batch(bench: Workbench) -> None:
    ordered = await bench.order(2)
    provider = ScriptedProvider([fact(0), USAGE, limited(1.0)])
    await bench.run(bench.workshop(provider, provider_wait_seconds=0.5), ordered.batch_ids[0])
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert batch.status == "failed", "it has waited for as long as it may: another attempt would wait again"
    assert batch.error is not None
    assert batch.error.code is ErrorCode.PROVIDER_RATE_LIMITED
    assert batch.held_count == 1
    assert batch.attempts == 1


async def test_how_long_is_waited_counts_from_the_last_answer(bench: Workbench) -> None:
    calls: list[list[Part]] = [[limited(0.3)], [fact(0), USAGE], [limited(0.3)], [fact(1), USAGE]]
    provider = ScriptedProvider(*calls)
    log = await fill(bench, provider, target=2, provider_wait_seconds=0.5)
    assert sum(event["delay_seconds"] == 0.3 for event in log if event["type"] == "batch.retrying") == 2


async def test_later_attempts_ask_the_fallback_models_in_order(bench: Workbench) -> None:
    ordered = await bench.order(1)
    provider = ScriptedProvider([TOO_LONG], [TOO_LONG], [TOO_LONG], [fact(0), USAGE])
    workshop = bench.workshop(provider, fallback_models="second, third", generation_retries_max=4)
    await bench.run(workshop, ordered.batch_ids[0])
    for _ in range(3):
        await bench.try_again(workshop, ordered.batch_ids[0])
    assert [request.model for request in provider.requests] == ["first", "second", "third", "third"]


async def test_the_model_of_the_order_comes_first_and_the_fallbacks_after_it(bench: Workbench) -> None:
    ordered = await bench.order(1, options=OrderOptions(model="wanted"))
    provider = ScriptedProvider([TOO_LONG], [fact(0), USAGE])
    workshop = bench.workshop(provider, fallback_models="second")
    await bench.run(workshop, ordered.batch_ids[0])
    await bench.try_again(workshop, ordered.batch_ids[0])
    assert [request.model for request in provider.requests] == ["wanted", "second"]


async def test_no_call_is_made_for_a_batch_that_is_not_ours_any_more(bench: Workbench) -> None:
    ordered = await bench.order(2)
    gate = Gate()
    provider = ScriptedProvider([fact(0), USAGE, gate])
    async with bench.running(bench.workshop(provider), ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        await bench.holds(ordered.batch_ids[0], 1)
        await bench.cancel(ordered)
        gate.opened.set()
        await running
    assert len(provider.requests) == 1


async def test_many_questions_are_asked_for_in_parallel_calls_and_then_only_what_is_missing(bench: Workbench) -> None:
    gates = [Gate(), Gate(), Gate()]
    calls: list[list[Part]] = [
        [gate, *facts(first, last), USAGE] for gate, first, last in zip(gates, (0, 8, 16), (8, 15, 23), strict=True)
    ]
    provider = ScriptedProvider(*calls, [fact(23), USAGE])
    ordered = await bench.order(23)
    async with bench.running(bench.workshop(provider), ordered.batch_ids[0]) as running:
        await asyncio.gather(*(gate.reached.wait() for gate in gates))
        assert sorted(request.count for request in provider.requests) == [7, 8, 8], "all are asked for at the same time"
        assert {(request.lane, request.lanes) for request in provider.requests} == {(0, 3), (1, 3), (2, 3)}
        for gate in gates:
            gate.opened.set()
        await running
    rest = provider.requests[3]
    assert (rest.count, rest.lane, rest.lanes) == (1, 0, 1)
    assert set(rest.avoid) == {stem(number) for number in range(23) if number != 15}
    assert (await factories.load(bench.database, ordered)).status == "completed"


async def test_what_costs_nothing_is_asked_for_in_one_go(bench: Workbench) -> None:
    provider = ScriptedProvider([*facts(0, 23)], is_metered=False)
    await fill(bench, provider, target=23)
    assert [request.count for request in provider.requests] == [23]


async def test_a_failure_while_others_are_answered_is_tried_again_and_then_costs_the_attempt(bench: Workbench) -> None:
    ordered = await bench.order(1, 1)
    provider = ScriptedProvider(always=[OVERLOADED])
    workshop = bench.workshop(provider)
    others = asyncio.create_task(answered_for_ever(workshop))
    try:
        await bench.run(workshop, ordered.batch_ids[0])
    finally:
        others.cancel()
    batch = (await factories.load(bench.database, ordered)).batches[0]
    assert (batch.status, batch.attempts) == ("pending", 1)
    assert len(provider.requests) > TROUBLES_MAX
    log = await factories.log(bench.database, ordered)
    told = sum(event["type"] == "batch.retrying" for event in log)
    assert 1 <= told < len(provider.requests), "not of what is tried again soon"


async def answered_for_ever(workshop: Workshop) -> None:
    """Calls of others that are answered well."""
    wish = Wish(model="first", weight=Weight())
    while True:
        async with workshop.governor.turn(wish):
            await asyncio.sleep(0.01)


async def test_who_was_answered_before_the_provider_went_down_does_not_make_it_our_trouble(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)  # the shortest pauses
    gate = Gate()
    down: list[list[Part]] = [[OVERLOADED]] * TROUBLES_MAX
    provider = ScriptedProvider([gate, OVERLOADED], *down, [fact(0), USAGE])
    workshop = bench.workshop(provider)
    ordered = await bench.order(1)
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        async with workshop.governor.turn(Wish(model="first", weight=Weight())):
            pass
        gate.opened.set()
        await running
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert (batch.status, batch.attempts) == ("completed", 1)


async def test_a_provider_that_answers_nobody_is_waited_for_within_the_attempt(bench: Workbench) -> None:
    provider = ScriptedProvider([OVERLOADED], [OVERLOADED], [fact(0), USAGE])
    log = await fill(bench, provider, target=1)
    told = [event["code"] for event in log if event["type"] == "batch.retrying"]
    assert told == ["provider_overloaded"] * 2


async def test_a_provider_that_answers_nobody_for_too_long_fails_the_batch_with_its_code(bench: Workbench) -> None:
    error = await ask_once(bench, ScriptedProvider(always=[OVERLOADED]), provider_wait_seconds=0.0)
    assert error.code is ErrorCode.PROVIDER_OVERLOADED
    assert "waited for up to 0 seconds" in error.message


async def test_a_broken_answer_is_completed_by_the_same_attempt(bench: Workbench) -> None:
    provider = ScriptedProvider([*facts(0, 2), USAGE, OVERLOADED], [fact(2), USAGE])
    log = await fill(bench, provider, target=3)
    assert [request.count for request in provider.requests] == [3, 1]
    assert all(event["type"] != "batch.retrying" for event in log)


async def test_of_calls_at_the_same_time_one_that_fails_takes_nothing_from_the_others(bench: Workbench) -> None:
    ordered = await bench.order(20)
    refused = ProviderRejected("the key is wrong")
    provider = ScriptedProvider([refused], [*facts(0, 10), USAGE])
    await bench.run(bench.workshop(provider), ordered.batch_ids[0])
    [batch] = (await factories.load(bench.database, ordered)).batches
    assert (batch.status, batch.held_count) == ("failed", 10)
    assert batch.error is not None
    assert batch.error.code is ErrorCode.PROVIDER_REJECTED


async def test_a_slow_last_call_is_hedged_for_what_it_has_not_brought(bench: Workbench) -> None:
    slow = Gate()
    quick: list[list[Part]] = [[fact(number), USAGE] for number in range(19)]
    ordered = await bench.order(*[1] * 19, 3)
    provider = ScriptedProvider(*quick, [fact(19), slow], [fact(20), fact(21), USAGE])
    workshop = bench.workshop(provider, hedge=True)
    for batch_id in ordered.batch_ids[:19]:
        await bench.run(workshop, batch_id)
    async with bench.running(workshop, ordered.batch_ids[19]) as running:
        await running
    generation = await factories.load(bench.database, ordered)
    assert generation.status == "completed"
    assert provider.requests[-1].count in {2, 3}, "only what is missing, as far as it was known"
    assert len(provider.requests) == 21
    assert 19 in provider.cut, "the slow one is not waited for"
    assert await factories.findings(bench.database) == ()


async def test_without_the_setting_nothing_is_hedged(bench: Workbench) -> None:
    slow = Gate()
    ordered = await bench.order(*[1] * 20)
    quick: list[list[Part]] = [[fact(number), USAGE] for number in range(19)]
    provider = ScriptedProvider(*quick, [slow, fact(19), USAGE])
    workshop = bench.workshop(provider)
    for batch_id in ordered.batch_ids[:19]:
        await bench.run(workshop, batch_id)
    async with bench.running(workshop, ordered.batch_ids[19]) as running:
        await slow.reached.wait()
        await eventually(lambda: workshop.governor._lanes["first"].in_flight == 1)
        slow.opened.set()
        await running
    assert len(provider.requests) == 20
