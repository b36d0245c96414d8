"""The job that identifies a module's topics: it ends in one step, once, and every call is paid once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from jobs import topics
from jobs.providers.base import (
    AnswerMalformed,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    TopicDraft,
)
from jobs.recovery import sweep
from jobs.workshop import Workshop
from schemas.topics import Identification, WantedIdentification
from service.broadcast import IDENTIFIED_CHANNEL
from service.queue import IDENTIFY
from service.store import modules, quizzes, tables
from service.store import topics as topic_rows
from service.store.database import seconds_from_now
from tests.factories import OWNER
from tests.scripted import TEXT, USAGE, Gate, Part, ScriptedProvider, sentence
from tests.workbench import WAIT_SECONDS, Workbench, eventually, troubled

SECOND = TopicDraft(name="Second", quote=sentence(5))
FIRST = TopicDraft(name="First", quote=sentence(1))
FOUND: list[Part] = [SECOND, FIRST, USAGE]
AT_ONCE: dict[str, Any] = {"generation_retries_max": 1}


@pytest.fixture
async def quiz_id(bench: Workbench) -> UUID:
    """With one module whose topics are wanted."""
    async with bench.database.write() as tx:
        quiz_id = await quizzes.insert(tx, owner=OWNER, title="Facts", language="en")
        await modules.insert(tx, quiz_id, [("Module", TEXT)])
        await topic_rows.want(tx, quiz_id)
    return quiz_id


async def state(bench: Workbench, quiz_id: UUID) -> Identification:
    async with bench.database.read() as tx:
        [one] = await topic_rows.of_quiz(tx, quiz_id)
    return one


async def identify(bench: Workbench, workshop: Workshop) -> None:
    """The job as arq would run it, for what the outbox holds."""
    await run(workshop, await wanted(bench))


async def wanted(bench: Workbench) -> WantedIdentification:
    async with bench.database.read() as tx:
        [one] = await topic_rows.wanted(tx, limit=10)
    return one


async def run(workshop: Workshop, one: WantedIdentification) -> None:
    job_id = f"topics:{one.identification_id}:{one.fence}"
    await topics.identify_topics({"workshop": workshop, "job_id": job_id}, str(one.identification_id), one.fence)


async def lease_runs_out(bench: Workbench) -> None:
    async with bench.database.write() as tx:
        gone = {"lease_until": seconds_from_now(-1), "wanted_at": seconds_from_now(-1)}
        await tx.execute(sa.update(tables.topics).values(**gone))


async def test_topics_are_kept_in_the_order_of_the_text_with_what_they_cost(bench: Workbench, quiz_id: UUID) -> None:
    provider = ScriptedProvider(FOUND)
    await identify(bench, bench.workshop(provider))
    one = await state(bench, quiz_id)
    assert [(topic.name, TEXT[topic.start : topic.end]) for topic in one.topics] == [
        ("First", sentence(1)),
        ("Second", sentence(5)),
    ]
    assert (one.is_fresh, one.is_wanted, one.failure) == (True, False, None)
    assert (one.spent.llm_calls, one.spent.wasted_calls, one.spent.cost_usd) == (1, 0, USAGE.cost_usd)
    [request] = provider.topic_requests
    assert (request.source.text, request.source.language, request.model) == (TEXT, "en", "first")


async def test_whoever_waits_is_called(bench: Workbench, quiz_id: UUID) -> None:
    workshop = bench.workshop(ScriptedProvider([ProviderRejected("no")], FOUND), "worker-1", **AT_ONCE)
    messages = workshop.broadcast.messages(IDENTIFIED_CHANNEL)
    assert await anext(messages) is None
    module_id = str((await state(bench, quiz_id)).module_id).encode()
    for _ in range(2):
        await identify(bench, workshop)
        assert await anext(messages) == module_id
        async with bench.database.write() as tx:
            await topic_rows.want(tx, quiz_id)
    await messages.aclose()


async def test_run_twice_it_asks_once(bench: Workbench, quiz_id: UUID) -> None:
    provider = ScriptedProvider(FOUND)
    workshops = [bench.workshop(provider, f"worker-{number}") for number in range(3)]
    one = await wanted(bench)
    await asyncio.gather(*(run(workshop, one) for workshop in workshops))
    assert len(provider.topic_requests) == 1
    assert (await state(bench, quiz_id)).is_fresh


async def test_what_may_pass_is_tried_again_with_the_next_model(bench: Workbench, quiz_id: UUID) -> None:
    provider = ScriptedProvider([ProviderOverloaded("overloaded")], [USAGE, AnswerMalformed("prose")], FOUND)
    await identify(bench, bench.workshop(provider, "worker-1", fallback_models="second"))
    one = await state(bench, quiz_id)
    assert len(one.topics) == 2
    assert (one.spent.llm_calls, one.spent.wasted_calls) == (2, 1)
    assert [request.model for request in provider.topic_requests] == ["first", "second", "second"]


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (ProviderRejected("the key is wrong"), 1),
        (ProviderTimeout("silent"), 2),
        (ProviderOverloaded("wait", retry_after_seconds=topics.PAUSE_SECONDS_MAX + 1), 1),
        (ProviderRateLimited("wait", retry_after_seconds=topics.PAUSE_SECONDS_MAX + 1), 1),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_failure_is_told_and_no_topic_is_kept(
    bench: Workbench, quiz_id: UUID, failure: Exception, calls: int
) -> None:
    provider = ScriptedProvider(always=[FIRST, USAGE, failure])
    await identify(bench, bench.workshop(provider, "worker-1", generation_retries_max=2))
    one = await state(bench, quiz_id)
    assert one.failure is not None
    assert one.failure.message == str(failure)
    assert (one.topics, one.is_wanted) == ((), False)
    assert len(provider.topic_requests) == one.spent.llm_calls == calls


async def test_topics_that_the_module_does_not_say_are_no_answer(bench: Workbench, quiz_id: UUID) -> None:
    provider = ScriptedProvider([TopicDraft(name="Invented", quote="Nobody ever wrote this here."), USAGE])
    await identify(bench, bench.workshop(provider, "worker-1", **AT_ONCE))
    failure = (await state(bench, quiz_id)).failure
    assert failure is not None
    assert (failure.code, failure.message) == (
        "malformed_answer",
        "None of the topics in the answer quotes the module.",
    )


async def test_a_text_without_topics_has_none(bench: Workbench, quiz_id: UUID) -> None:
    await identify(bench, bench.workshop(ScriptedProvider([], is_metered=False)))
    one = await state(bench, quiz_id)
    assert (one.topics, one.is_fresh) == ((), True)


async def test_what_nobody_foresaw_fails_it_and_is_logged(bench: Workbench, quiz_id: UUID) -> None:
    with capture_logs() as logs:
        await identify(bench, bench.workshop(ScriptedProvider([RecursionError("deep")])))
    failure = (await state(bench, quiz_id)).failure
    assert failure is not None
    assert (failure.code, failure.message) == ("internal", "internal error: RecursionError")
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["topics failed unexpectedly"]


async def test_a_worker_that_stops_gives_it_back_at_once(bench: Workbench, quiz_id: UUID) -> None:
    gate = Gate()
    provider = ScriptedProvider([FIRST, gate])
    workshop = bench.workshop(provider)
    job = asyncio.create_task(identify(bench, workshop))
    await gate.reached.wait()
    await workshop.stop(grace_seconds=0)
    await asyncio.wait_for(job, WAIT_SECONDS)
    assert provider.cut == [0]
    assert (await state(bench, quiz_id)).is_wanted
    await identify(bench, bench.workshop(ScriptedProvider(FOUND), "worker-2"))
    assert len((await state(bench, quiz_id)).topics) == 2


async def test_a_job_that_is_cancelled_gives_it_back_too(bench: Workbench, quiz_id: UUID) -> None:
    gate = Gate()
    job = asyncio.create_task(identify(bench, bench.workshop(ScriptedProvider([gate]))))
    await gate.reached.wait()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    async with bench.database.read() as tx:
        assert len(await topic_rows.wanted(tx, limit=10)) == 1


async def test_while_a_worker_is_at_it_its_lease_is_renewed(bench: Workbench, quiz_id: UUID) -> None:
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([*FOUND[:2], gate, USAGE]), "worker-1", lease_seconds=0.3)
    job = asyncio.create_task(identify(bench, workshop))
    await gate.reached.wait()
    writes = troubled(workshop).writes
    await eventually(lambda: troubled(workshop).writes >= writes + 4)
    async with bench.database.read() as tx:
        assert await topic_rows.wanted(tx, limit=10) == []
    gate.opened.set()
    await job
    assert (await state(bench, quiz_id)).is_fresh


async def test_a_worker_that_was_given_up_changes_nothing_any_more(bench: Workbench, quiz_id: UUID) -> None:
    gate = Gate()
    late = asyncio.create_task(identify(bench, bench.workshop(ScriptedProvider([gate, *FOUND]))))
    await gate.reached.wait()
    await lease_runs_out(bench)
    await identify(bench, bench.workshop(ScriptedProvider([FIRST, USAGE]), "worker-2"))
    gate.opened.set()
    with capture_logs() as logs:
        await late
    assert [topic.name for topic in (await state(bench, quiz_id)).topics] == ["First"]
    assert "stopped: the topics are not ours any more" in [entry["event"] for entry in logs]


async def test_a_text_over_which_worker_after_worker_dies_is_given_up(bench: Workbench, quiz_id: UUID) -> None:
    for _ in range(topics.TRIES_MAX):
        async with bench.database.write() as tx:
            [one] = await topic_rows.wanted(tx, limit=10)
            await topic_rows.claim(tx, one.identification_id, one.fence, lease_seconds=-1)
    provider = ScriptedProvider()
    await identify(bench, bench.workshop(provider))
    failure = (await state(bench, quiz_id)).failure
    assert failure is not None
    assert (failure.code, provider.topic_requests) == ("poisoned", [])


async def test_a_database_that_stays_away_leaves_it_to_the_next_worker(bench: Workbench, quiz_id: UUID) -> None:
    gate = Gate()
    workshop = bench.workshop(ScriptedProvider([gate, *FOUND]))
    job = asyncio.create_task(identify(bench, workshop))
    await gate.reached.wait()
    troubled(workshop).is_away = True
    stopping = asyncio.create_task(workshop.stop(grace_seconds=0))
    with capture_logs() as logs:
        await asyncio.gather(stopping, job)
    assert "stopped: the database is away, and the lease will run out" in [entry["event"] for entry in logs]
    await lease_runs_out(bench)
    await identify(bench, bench.workshop(ScriptedProvider(FOUND), "worker-2"))
    assert (await state(bench, quiz_id)).is_fresh


async def test_it_is_put_into_the_queue_by_the_sweep(bench: Workbench, quiz_id: UUID) -> None:
    workshop = bench.workshop(ScriptedProvider())
    await sweep(workshop)
    [job_id] = await bench.queued()
    assert job_id.startswith("topics:")
    assert topics.identify_topics.__name__ == IDENTIFY
    await bench.redis.flushall()
    await sweep(workshop)
    assert await bench.queued() == [], "it was put there a moment ago"
    async with bench.database.write() as tx:
        await tx.execute(sa.update(tables.topics).values(wanted_at=seconds_from_now(0)))
    await sweep(workshop)
    assert await bench.queued() == [job_id]
