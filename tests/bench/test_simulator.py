"""The simulated provider keeps its own rules: the same every time, limits, faults, an honest tally, a true bound."""

import asyncio
import json
from dataclasses import replace

import anthropic
import httpx2
import pytest

from bench.contenders import peers
from bench.simulator import bodies, bound, children, modules, plans, scenario
from bench.simulator.bodies import Wanted
from bench.simulator.plans import FIRST_BYTE_SECONDS, Call
from bench.simulator.scenario import Fault, Limit, Outage, Scenario, Script
from jobs import checks
from jobs.providers import answer_schema
from jobs.providers.base import Unreadable
from schemas.questions import Fingerprint
from tests.bench.conftest import Simulate, Simulated

WAIT_SECONDS = 10
BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError)


def understood(call: Wanted) -> Call:
    read = plans.read(bodies.body(call))
    assert read, "the simulator understands the product's prompts"
    return read


@pytest.mark.parametrize("place", range(len(bodies.TYPES)))
async def test_the_sdk_reads_the_same_sound_questions_streamed_and_whole(
    simulate: Simulate, calls: list[Wanted], place: int
) -> None:
    async with simulate(Scenario()) as streaming, simulate(Scenario()) as whole:
        text = await streaming.streamed(calls[place])
        assert text == await whole.text(calls[place])
    assert peers.is_good(calls[place], text)


def test_all_questions_of_a_whole_order_pass_the_checks_side_by_side() -> None:
    taken: list[Fingerprint] = []
    for call in bodies.wanted(modules.write(1, 10, 12), 50, 5):
        for text in plans.plan(Scenario(), understood(call), 1).texts:
            draft = answer_schema.parse(call.question_type, text)
            assert not isinstance(draft, Unreadable)
            verdict = checks.judge(draft, call.source, taken)
            assert not isinstance(verdict, checks.Rejection), verdict
            taken.append(verdict.fingerprint)
    assert len(taken) == 250


async def test_the_order_of_the_calls_changes_nothing(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario(seed=3)) as one, simulate(Scenario(seed=3)) as other:
        forwards = [await one.text(call) for call in calls]
        backwards = [await other.text(call) for call in reversed(calls)]
    assert forwards == backwards[::-1]


def test_seed_key_and_attempt_decide_how_long_a_call_takes(calls: list[Wanted]) -> None:
    call = understood(calls[0])
    first = plans.plan(Scenario(seed=3), call, 1)
    assert plans.plan(Scenario(seed=3), understood(replace(calls[0], count=2)), 1).first_byte_seconds == (
        first.first_byte_seconds
    )
    others = [
        plans.plan(Scenario(seed=4), call, 1),
        plans.plan(Scenario(seed=3), call, 2),
        plans.plan(Scenario(seed=3), understood(calls[1]), 1),
    ]
    assert first.first_byte_seconds not in [other.first_byte_seconds for other in others]


def test_half_of_the_calls_take_longer_than_half_a_second_and_one_in_a_hundred_five_times_as_long() -> None:
    order = bodies.wanted(modules.write(1, 200, 12), 1000, 5)
    seconds = sorted(plans.plan(Scenario(), understood(call), 1).seconds for call in order)
    assert 0.4 < seconds[500] < 0.6
    assert 4 < seconds[989] / seconds[500] < 6.5


async def test_a_later_attempt_asks_for_something_else(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario()) as simulated:
        first, second = await simulated.text(calls[0]), await simulated.text(calls[0])
    quotes = [{question["quote"] for question in json.loads(text)["questions"]} for text in (first, second)]
    assert not quotes[0] & quotes[1]


def test_what_is_to_be_avoided_is_not_asked(calls: list[Wanted]) -> None:
    call = understood(calls[0])
    asked = json.loads(plans.plan(Scenario(), call, 1).texts[0])
    again = plans.plan(Scenario(), replace(call, avoid=asked["stem"]), 1)
    assert len(again.texts) == 3
    assert asked["quote"] not in [json.loads(text)["quote"] for text in again.texts]


async def test_a_call_beyond_the_request_limit_is_turned_away_without_counting_as_an_attempt(
    simulate: Simulate, calls: list[Wanted]
) -> None:
    async with simulate(Scenario(requests=Limit(60, 2))) as simulated:
        answer = await simulated.sdk.messages.with_raw_response.create(**bodies.body(calls[0]))  # type: ignore[call-overload] # any body
        assert answer.headers["anthropic-ratelimit-requests-limit"] == "60"
        assert answer.headers["anthropic-ratelimit-requests-remaining"] == "1"
        assert answer.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
        await simulated.whole(calls[1])
        with pytest.raises(anthropic.RateLimitError) as limited:
            await simulated.whole(calls[2])
        assert limited.value.response.headers["retry-after"] == "1"
        assert simulated.stats.outcomes == {"good": 2, "rate_limited": 1}
        assert simulated.stats.keys == 2


async def test_input_is_charged_at_admission_and_a_cached_prefix_only_once(
    simulate: Simulate, calls: list[Wanted]
) -> None:
    call = understood(calls[0])
    async with simulate(Scenario(input_tokens=Limit(60, 10_000))) as simulated:
        usages = [(await simulated.whole(wanted)).usage for wanted in calls[:2]]
        remaining = simulated.provider.account.buckets.input_tokens.level
        spent = simulated.stats.input_tokens
    assert usages[0].cache_creation_input_tokens == call.prefix_tokens
    assert usages[1].cache_read_input_tokens == call.prefix_tokens
    assert spent == call.prefix_tokens + call.task_tokens + understood(calls[1]).task_tokens
    assert remaining == pytest.approx(10_000 - spent, abs=5)


async def test_output_is_charged_as_it_is_generated_and_then_stops_further_calls(
    simulate: Simulate, calls: list[Wanted]
) -> None:
    async with simulate(Scenario(output_tokens=Limit(60, 100))) as simulated:
        answer = await simulated.whole(calls[0])
        assert answer.usage.output_tokens > 100
        with pytest.raises(anthropic.RateLimitError) as limited:
            await simulated.whole(calls[1])
        waited = int(limited.value.response.headers["retry-after"])
        assert 0 <= waited - (answer.usage.output_tokens - 100) <= 2


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault.SERVER_ERROR, anthropic.InternalServerError),
        (Fault.OVERLOADED, anthropic.InternalServerError),
        (Fault.RESET, anthropic.APIConnectionError),
        (Fault.STALL, anthropic.APITimeoutError),
        (Fault.STALL_MIDWAY, httpx2.ReadTimeout),
        (Fault.ERROR_MIDWAY, anthropic.APIStatusError),
        (Fault.BREAK_MIDWAY, BROKEN),
    ],
)
async def test_a_scripted_fault_strikes_once_and_the_next_attempt_is_good(
    simulate: Simulate, calls: list[Wanted], fault: Fault, raised: type[Exception] | tuple[type[Exception], ...]
) -> None:
    planned = Scenario(scripts=(Script(calls[0].module.name, fault, 1),))
    async with simulate(planned) as simulated:
        with pytest.raises(raised):
            await simulated.streamed(calls[0])
        assert peers.is_good(calls[0], await simulated.streamed(calls[0]))
        await ended(simulated)
        assert simulated.stats.outcomes == {fault: 1, "good": 1}


@pytest.mark.parametrize("fault", [Fault.MALFORMED, Fault.TOO_FEW, Fault.REFUSAL])
@pytest.mark.parametrize("is_streamed", [True, False])
async def test_an_answer_can_come_in_good_order_and_be_of_no_use(
    simulate: Simulate, calls: list[Wanted], fault: Fault, is_streamed: bool
) -> None:
    planned = Scenario(scripts=(Script(calls[0].module.name, fault, 1),))
    async with simulate(planned) as simulated:
        ask = simulated.streamed if is_streamed else simulated.text
        assert not peers.is_good(calls[0], await ask(calls[0]))
        assert peers.is_good(calls[0], await ask(calls[0]))
        assert simulated.stats.outcomes == {fault: 1, "good": 1}


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault.STALL_MIDWAY, anthropic.APITimeoutError),
        (Fault.ERROR_MIDWAY, anthropic.InternalServerError),
        (Fault.BREAK_MIDWAY, anthropic.APIConnectionError),
    ],
)
async def test_without_a_stream_the_middle_of_an_answer_is_not_seen(
    simulate: Simulate, calls: list[Wanted], fault: Fault, raised: type[Exception]
) -> None:
    async with simulate(Scenario(scripts=(Script(calls[0].module.name, fault, 1),))) as simulated:
        with pytest.raises(raised):
            await simulated.whole(calls[0])


def test_faults_come_as_often_as_the_scenario_says() -> None:
    planned = scenario.named("faults_30", seed=5)
    order = bodies.wanted(modules.write(1, 200, 12), 1000, 5)
    met = [plans.plan(planned, understood(call), 1).fault for call in order]
    assert 0.26 < sum(fault is not None for fault in met) / 1000 < 0.34
    assert set(met) == {None, *scenario.MIXED}


@pytest.mark.parametrize(
    ("is_refusing", "raised"), [(False, anthropic.InternalServerError), (True, anthropic.APIConnectionError)]
)
async def test_an_outage_cuts_what_is_in_flight_turns_all_away_and_ends(
    simulate: Simulate, calls: list[Wanted], is_refusing: bool, raised: type[Exception]
) -> None:
    stalled = Script(calls[0].module.name, Fault.STALL, 1)
    planned = Scenario(scripts=(stalled,), outage=Outage(0.02, 0.3, is_refusing=is_refusing))
    async with simulate(planned) as simulated, asyncio.timeout(WAIT_SECONDS):
        with pytest.raises(anthropic.InternalServerError):
            await simulated.whole(calls[0])
        with pytest.raises(raised):
            await simulated.whole(calls[0])
        text = ""
        while not text:
            try:
                text = await simulated.text(calls[0])
            except raised:
                continue
        assert peers.is_good(calls[0], text)
        assert simulated.stats.outcomes["good"] == 1


async def test_what_a_client_keeps_of_a_broken_answer_is_no_waste(simulate: Simulate, calls: list[Wanted]) -> None:
    cut = (Script(calls[0].module.name, Fault.TOO_FEW, 1),)
    some = (Scenario(seed=seed, scripts=cut) for seed in range(100))
    planned = next(chosen for chosen in some if plans.plan(chosen, understood(calls[0]), 1).good_count > 0)
    got = plans.plan(planned, understood(calls[0]), 1).good_count
    async with simulate(planned) as simulated:
        await simulated.streamed(calls[0])
        await simulated.streamed(replace(calls[0], count=3 - got))
        kept = simulated.stats
    async with simulate(planned) as simulated:
        await simulated.streamed(calls[0])
        await simulated.streamed(calls[0])
        dropped = simulated.stats
    assert (kept.keys_complete, kept.wasted_calls, kept.output_tokens_wasted) == (1, 0, 0)
    assert (dropped.keys_complete, dropped.wasted_calls) == (1, 1)
    assert dropped.output_tokens_wasted > 0
    assert dropped.input_tokens_wasted > 0


async def test_an_answer_that_nobody_needed_is_counted(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario()) as simulated:
        await asyncio.gather(simulated.streamed(calls[0]), simulated.streamed(calls[0]))
        assert simulated.stats.in_flight_max == 2
        assert simulated.stats.keys_complete == 1
        assert simulated.stats.output_tokens_wasted > 0
        await simulated.streamed(calls[0])
        assert simulated.stats.duplicate_calls == 1


async def test_hidden_retries_of_the_sdk_are_counted(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario(scripts=(Script(calls[0].module.name, Fault.OVERLOADED, 1),))) as simulated:
        async with simulated.sdk.with_options(max_retries=1) as retrying:
            await retrying.messages.create(**bodies.body(calls[0]))  # type: ignore[call-overload] # any body
        assert (simulated.stats.requests, simulated.stats.sdk_retries) == (2, 1)


async def test_who_leaves_early_is_counted_with_what_was_generated(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario()) as simulated:
        stream = await simulated.sdk.messages.create(**bodies.body(calls[0], is_streamed=True))  # type: ignore[call-overload] # any body
        await stream.close()
        await ended(simulated)
        assert simulated.stats.outcomes == {"left": 1}
        assert simulated.stats.wasted_calls == 1


async def test_a_reset_makes_it_the_first_attempt_again(simulate: Simulate, calls: list[Wanted]) -> None:
    async with simulate(Scenario(requests=Limit(60, 1))) as simulated:
        first = await simulated.text(calls[0])
        async with httpx2.AsyncClient(base_url=simulated.base_url) as http:
            assert (await http.get("/stats")).json()["outcomes"] == {"good": 1}
            assert (await http.post("/reset")).is_success
            assert (await http.get("/stats")).json()["requests"] == 0
        assert await simulated.text(calls[0]) == first


async def test_what_is_no_task_about_a_module_gets_a_word(simulate: Simulate) -> None:
    async with simulate(Scenario()) as simulated:
        hello = await simulated.sdk.messages.create(
            model="any", max_tokens=5, messages=[{"role": "user", "content": "Hello?"}]
        )
        assert hello.content[0].type == "text"
        assert simulated.stats.outcomes == {"other": 1}
        assert simulated.stats.wasted_calls == 0


def test_without_limits_the_ideal_is_the_longest_call(calls: list[Wanted]) -> None:
    longest = max(plans.plan(Scenario(), understood(call), 1).seconds for call in calls)
    assert bound.ideal_seconds(Scenario(), map(bodies.body, calls)) == pytest.approx(longest)


def test_at_a_request_limit_the_ideal_releases_the_longest_first(calls: list[Wanted]) -> None:
    seconds = sorted((plans.plan(Scenario(), understood(call), 1).seconds for call in calls), reverse=True)
    planned = Scenario(requests=Limit(60, 2))
    released = [0, 0, 1, 2, 3]
    expected = max(start + length for start, length in zip(released, seconds, strict=True))
    assert bound.ideal_seconds(planned, map(bodies.body, calls)) == pytest.approx(expected)


def test_the_ideal_pays_a_prefix_once_and_waits_for_tokens(calls: list[Wanted]) -> None:
    read = [understood(call) for call in calls]
    needed = read[0].prefix_tokens + sum(call.task_tokens for call in read)
    planned = Scenario(time_scale=0, input_tokens=Limit(6000, 1500))
    assert bound.ideal_seconds(planned, map(bodies.body, calls)) == pytest.approx((needed - 1500) / 100)
    planned = Scenario(time_scale=0, output_tokens=Limit(60, 1))
    assert bound.ideal_seconds(planned, map(bodies.body, calls)) > 100


def test_the_ideal_knows_no_faults_but_the_outage(calls: list[Wanted]) -> None:
    without = bound.ideal_seconds(Scenario(), map(bodies.body, calls))
    faulty = replace(scenario.named("faults_30", seed=1), scripts=(Script("", Fault.STALL, 5),))
    assert bound.ideal_seconds(faulty, map(bodies.body, calls)) == pytest.approx(without)
    outage = Scenario(outage=Outage(FIRST_BYTE_SECONDS / 10, 5))
    assert bound.ideal_seconds(outage, map(bodies.body, calls)) == pytest.approx(FIRST_BYTE_SECONDS / 10 + 5 + without)


def test_it_runs_as_a_process_of_its_own_with_options(calls: list[Wanted]) -> None:
    options = ["--requests", "60:1", "--script", f"{calls[0].module.name}:overloaded:1", "--time-scale", "0"]
    with children.running("--scenario", "faults_5", "--outage", "5:1", *options) as url:
        answers = [httpx2.post(f"{url}/v1/messages", json=bodies.body(calls[0])) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [529, 429]


async def ended(simulated: Simulated) -> None:
    """Returns when the simulator has seen the end of every call: it may learn of it after the client."""
    async with asyncio.timeout(WAIT_SECONDS):
        while simulated.stats.in_flight:  # noqa: ASYNC110 # a connection's end is no event for the test
            await asyncio.sleep(0.005)
