"""What modules are about: identified once by a worker, shared by content, told to whoever asks at that time."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from service.store import tables
from service.store.database import Database, seconds_from_now
from tests.journeys.orders import LEAVES, ROOTS
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System
from tests.workbench import eventually

LEAVES_TOPICS, ROOTS_TOPICS = 5, 6
"""The server names six each; "photosystem" and "photosystems" are one."""


async def make_quiz(system: System, *names: str) -> Any:
    modules = [{"name": name, "text": " ".join(ROOTS if name == "Roots" else LEAVES)} for name in names]
    return await system.post("/api/quizzes", {"title": "Plants", "modules": modules}, expect=201)


async def identify(system: System, quiz: Any, *, expect: int = 200) -> Any:
    return await system.post(f"/api/quizzes/{quiz['id']}/topics", expect=expect)


async def change_topics(database: Database, **values: Any) -> None:
    async with database.write() as tx:
        await tx.execute(sa.update(tables.topics).values(**values))


async def test_every_module_has_its_topics_in_the_order_of_its_text(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    quiz = await make_quiz(system, "Leaves", "Roots")
    found = await identify(system, quiz)

    assert found["count"] == len(found["topics"]) == LEAVES_TOPICS + ROOTS_TOPICS
    assert [topic["module_name"] for topic in found["topics"]] == ["Leaves"] * LEAVES_TOPICS + ["Roots"] * ROOTS_TOPICS
    for told in quiz["modules"]:
        text = (await system.get(f"/api/quizzes/{quiz['id']}/modules/{told['id']}"))["text"]
        own = [topic for topic in found["topics"] if topic["module_id"] == told["id"]]
        assert [topic["start"] for topic in own] == sorted({topic["start"] for topic in own})
        assert all(text[topic["start"] : topic["end"]] == topic["quote"] for topic in own)
    shown = (await system.get(f"/api/quizzes/{quiz['id']}"))["modules"]
    assert [name for told in shown for name in told["topics"]] == [topic["name"] for topic in found["topics"]]
    assert found["usage"]["llm_calls"] == len(messages_api.requests) == 2
    assert found["usage"]["output_tokens"] > 0
    assert found["usage"]["cost_usd"] > 0


async def test_asked_by_several_at_once_the_provider_is_asked_once(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    system.add_worker()
    messages_api.hold()
    quiz = await make_quiz(system, "Leaves")
    asking = [asyncio.create_task(identify(system, quiz)) for _ in range(5)]
    await messages_api.held()
    asking += [asyncio.create_task(identify(system, quiz)) for _ in range(3)]
    messages_api.release()
    answers = await asyncio.gather(*asking)
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["count"] == LEAVES_TOPICS
    assert len(messages_api.requests) == 1


async def test_another_quiz_of_the_same_text_asks_nobody_for_an_hour(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    first, second = await make_quiz(system, "Leaves"), await make_quiz(system, "Leaves")
    names = [topic["name"] for topic in (await identify(system, first))["topics"]]
    again = await identify(system, second)
    assert [topic["name"] for topic in again["topics"]] == names
    assert {topic["module_id"] for topic in again["topics"]} == {second["modules"][0]["id"]}
    assert len(messages_api.requests) == 1

    await change_topics(system.database, identified_at=seconds_from_now(-3590))
    await identify(system, second)
    assert len(messages_api.requests) == 1

    await change_topics(system.database, identified_at=seconds_from_now(-3600))
    assert [topic["name"] for topic in (await identify(system, second))["topics"]] == names
    assert len(messages_api.requests) == 2


async def test_the_same_text_of_another_owner_is_nobodys_business(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    quiz = await make_quiz(system, "Leaves")
    await identify(system, quiz)
    # There is one owner only without authentication: what was found is made somebody else's.
    await change_topics(system.database, owner="somebody else")
    assert (await system.get(f"/api/quizzes/{quiz['id']}"))["modules"][0]["topics"] == []
    assert (await identify(system, quiz))["count"] == LEAVES_TOPICS
    assert len(messages_api.requests) == 2
    async with system.database.read() as tx:
        owners = (await tx.execute(sa.select(tables.topics.c.owner).order_by(tables.topics.c.owner))).scalars()
    assert list(owners) == ["local", "somebody else"]


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Fault.UNAUTHORIZED, 502, "The provider does not accept the API key: check ANTHROPIC_API_KEY."),
        (Fault.OVERLOADED, 503, "The provider is overloaded."),
    ],
)
async def test_a_provider_that_fails_is_told_and_nothing_is_cached(
    system: System, messages_api: MessagesApi, fault: Fault, status: int, words: str
) -> None:
    system.settings = system.settings.model_copy(update={"generation_retries_max": 1})
    system.add_worker()
    messages_api.fail("Roots", fault, times=1)
    quiz = await make_quiz(system, "Leaves", "Roots")
    problem = await identify(system, quiz, expect=status)
    assert problem["detail"].startswith('The topics of the module "Roots" could not be identified. ')
    assert words in problem["detail"]
    assert [len(told["topics"]) for told in (await system.get(f"/api/quizzes/{quiz['id']}"))["modules"]] == [
        LEAVES_TOPICS,
        0,
    ]

    assert (await identify(system, quiz))["count"] == LEAVES_TOPICS + ROOTS_TOPICS
    assert [asked.module for asked in messages_api.requests].count("Roots") == 2
    assert [asked.module for asked in messages_api.requests].count("Leaves") == 1


async def test_a_broken_answer_is_asked_for_again(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    messages_api.fail("Leaves", Fault.PROSE, times=1)
    found = await identify(system, await make_quiz(system, "Leaves"))
    assert found["count"] == LEAVES_TOPICS
    assert (found["usage"]["llm_calls"], found["usage"]["wasted_calls"]) == (2, 1)


async def test_a_redis_that_forgets_while_someone_waits_costs_moments(
    system: System, messages_api: MessagesApi
) -> None:
    quiz = await make_quiz(system, "Leaves")
    asking = asyncio.create_task(identify(system, quiz))

    async def is_queued() -> bool:
        return bool(await system.redis.zcard("arq:queue"))

    await eventually(is_queued)
    await system.redis.flushall()
    system.add_worker()
    assert (await asking)["count"] == LEAVES_TOPICS
    assert len(messages_api.requests) == 1


async def test_what_a_worker_left_when_it_stopped_the_next_one_finds(system: System, messages_api: MessagesApi) -> None:
    messages_api.hold()
    quiz = await make_quiz(system, "Leaves")
    asking = asyncio.create_task(identify(system, quiz))
    system.add_worker()
    await messages_api.held()
    await system.stop_workers()
    messages_api.release()
    system.add_worker()
    assert (await asking)["count"] == LEAVES_TOPICS


async def test_an_order_spreads_its_questions_over_the_topics(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    quiz = await make_quiz(system, "Leaves")
    names = [topic["name"] for topic in (await identify(system, quiz))["topics"]]
    module_id = quiz["modules"][0]["id"]
    batches = [
        {"module_id": module_id, "question_type": "multiple_choice", "target_count": 4},
        {"module_id": module_id, "question_type": "flashcard", "target_count": 2},
    ]
    ordered = await system.post(f"/api/quizzes/{quiz['id']}/generations", {"batches": batches})
    assert (await system.ended(ordered["id"]))["status"] == "completed"
    asked = {call.question_type: call for call in messages_api.requests}
    assert asked["multiple_choice"].topics == tuple(names[:4])
    assert len(asked["flashcard"].topics) == 2
    assert set(asked["flashcard"].topics) < set(names)
    for question in (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]:
        assert question["tags"][0] in names
    await system.assert_sound()


async def test_offline_a_chapter_is_asked_about_from_end_to_end(offline_system: System, chapter: str) -> None:
    system = offline_system
    system.add_worker()
    body = {"title": "Plants", "modules": [{"name": "Photosynthesis", "text": chapter}]}
    quiz = await system.post("/api/quizzes", body, expect=201)
    found = await identify(system, quiz)
    assert [topic["name"] for topic in found["topics"]][:2] == [
        "What photosynthesis achieves",
        "The leaf and the chloroplast",
    ]
    assert found["usage"]["llm_calls"] == 0
    wanted = [{"module_id": quiz["modules"][0]["id"], "question_type": "fill_in_blank", "target_count": 10}]
    ordered = await system.post(f"/api/quizzes/{quiz['id']}/generations", {"batches": wanted})
    await system.ended(ordered["id"])
    questions = (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]
    assert {question["tags"][0] for question in questions} == {topic["name"] for topic in found["topics"]}


async def test_a_quiz_that_is_unknown_empty_or_being_read_has_no_topics(offline_system: System) -> None:
    system = offline_system
    unknown = await system.post(f"/api/quizzes/{UUID(int=1)}/topics", expect=404)
    assert unknown["detail"] == f"there is no quiz {UUID(int=1)}"
    response = await system.http.post(
        "/api/quizzes", data={"title": "Plants"}, files={"files": ("a.md", b"# A\n\nText")}
    )
    reading = await identify(system, response.json(), expect=409)
    assert reading["detail"].endswith("its material is being read")
    assert (await system.get(f"/api/quizzes/{response.json()['id']}"))["status"] == "extracting_content"


async def test_a_service_that_stops_lets_nobody_wait(offline_system: System) -> None:
    quiz = await make_quiz(offline_system, "Leaves")
    asking = asyncio.create_task(identify(offline_system, quiz, expect=503))
    await eventually(lambda: bool(offline_system.app.state.backend.bell._waiting))
    offline_system.app.state.backend.close()
    assert (await asking)["detail"] == "the service is stopping: ask again in a moment"
