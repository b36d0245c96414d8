"""Each call is written down when it ends: with what it brought, what it cost and, if in vain, why."""

import pytest
import sqlalchemy as sa

from jobs.providers.base import (
    AnswerMalformed,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    Request,
    Unreadable,
    Usage,
)
from jobs.recovery import drop_stopped
from schemas.calls import CallOutcome
from service.store import control, tables
from tests import factories
from tests.scripted import MODEL, OVERLOADED, USAGE, Gate, Part, ScriptedProvider, fact, facts, unproved
from tests.workbench import Workbench


async def written(bench: Workbench) -> list[sa.Row[tuple[object, ...]]]:
    """Every call, in its order."""
    found = sa.select(tables.calls).order_by(tables.calls.c.fence, tables.calls.c.number)
    async with bench.database.read() as tx:
        return list((await tx.execute(found)).all())


class MeteredProvider(ScriptedProvider):
    """Also tells whoever cuts a call what it has used so far."""

    async def ask(self, request: Request):  # as the one it extends
        request.meter.attach(lambda: Usage(model=MODEL, input_tokens=100, output_tokens=3, cost_usd=0.2))
        async for part in super().ask(request):
            yield part


async def test_a_call_is_written_with_all_that_is_known_of_it(bench: Workbench) -> None:
    ordered = await bench.order(2)
    await bench.run(bench.workshop(ScriptedProvider([*facts(0, 2), USAGE])), ordered.batch_ids[0])
    [call] = await written(bench)
    assert (call.batch_id, call.generation_id) == (ordered.batch_ids[0], ordered.generation_id)
    assert (call.fence, call.number, call.model, call.outcome, call.is_hedge) == (1, 1, MODEL, "accepted", False)
    assert (call.input_tokens, call.output_tokens, call.cache_read_tokens, call.cost_usd) == (100, 10, 5, 0.5)
    assert call.accepted_count == 2
    assert call.seconds >= 0


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([USAGE], CallOutcome.EMPTY),
        ([unproved(1), USAGE], CallOutcome.REJECTED),
        ([Unreadable(message="no key"), USAGE], CallOutcome.REJECTED),
        ([fact(0), USAGE], CallOutcome.DUPLICATE),
        ([unproved(1), fact(0), USAGE], CallOutcome.REJECTED),
        ([USAGE, AnswerMalformed("no JSON")], CallOutcome.MALFORMED_ANSWER),
        ([USAGE, OVERLOADED], CallOutcome.PROVIDER_OVERLOADED),
        ([USAGE, ProviderUnavailable("broken")], CallOutcome.PROVIDER_UNAVAILABLE),
        ([USAGE, ProviderTimeout("silent")], CallOutcome.TIMEOUT),
        ([USAGE, ProviderRejected("refused")], CallOutcome.PROVIDER_REJECTED),
        ([USAGE, ProviderError("odd")], CallOutcome.INTERNAL),
        ([USAGE, RuntimeError("ours")], CallOutcome.INTERNAL),
        ([fact(1), USAGE, OVERLOADED], CallOutcome.ACCEPTED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_call_in_vain_says_why(bench: Workbench, parts: list[Part], outcome: CallOutcome) -> None:
    ordered = await bench.order(3)
    provider = ScriptedProvider([fact(0), USAGE], parts, always=[*facts(1, 4), USAGE])
    workshop = bench.workshop(provider, generation_retries_max=1)
    await bench.run(workshop, ordered.batch_ids[0])
    second = (await written(bench))[1]
    assert second.outcome == outcome
    usage = (await factories.load(bench.database, ordered)).usage
    assert [waste.reason for waste in usage.waste] == ([] if outcome is CallOutcome.ACCEPTED else [outcome])
    assert await factories.findings(bench.database) == ()


async def test_a_call_that_never_reached_its_provider_is_none(bench: Workbench) -> None:
    ordered = await bench.order(1)
    workshop = bench.workshop(ScriptedProvider([ProviderRejected("too long")]))
    await bench.run(workshop, ordered.batch_ids[0])
    assert await written(bench) == []


async def test_what_an_attempt_has_cost_so_far_survives_its_worker(bench: Workbench) -> None:
    ordered = await bench.order(3)
    gate = Gate()
    provider = ScriptedProvider([fact(0), USAGE], [fact(1), gate])
    workshop = bench.workshop(provider)
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        # Nothing more of this worker is written: it might as well be dead.
        await bench.take_back(ordered.batch_ids[0])
        usage = (await factories.load(bench.database, ordered)).usage
        assert (usage.llm_calls, usage.cost_usd) == (1, 0.5)
        gate.opened.set()
        await running
    assert await factories.findings(bench.database) == ()


@pytest.mark.parametrize("stop", ["pause", "cancel", "stop"])
async def test_a_call_that_is_cut_is_charged_with_what_it_had_used(bench: Workbench, stop: str) -> None:
    ordered = await bench.order(3)
    gate = Gate()
    workshop = bench.workshop(MeteredProvider([gate]))
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        if stop == "stop":
            await workshop.stop(grace_seconds=0)
        elif stop == "cancel":
            await bench.cancel(ordered)
        else:
            async with bench.database.write() as tx:
                await control.pause(tx, ordered.generation_id)
        await drop_stopped(workshop)
        await running
    [call] = await written(bench)
    assert (call.outcome, call.input_tokens, call.output_tokens, call.cost_usd) == ("cancelled", 100, 3, 0.2)
    assert await factories.findings(bench.database) == ()


async def test_a_batch_that_is_whole_when_its_worker_is_stopped_is_completed(bench: Workbench) -> None:
    ordered = await bench.order(1)
    gate = Gate()
    workshop = bench.workshop(MeteredProvider([fact(0), gate]))
    async with bench.running(workshop, ordered.batch_ids[0]) as running:
        await gate.reached.wait()
        await bench.holds(ordered.batch_ids[0], 1)
        await workshop.stop(grace_seconds=0)
        await running
    generation = await factories.load(bench.database, ordered)
    assert (generation.status, generation.usage.llm_calls) == ("completed", 1)
