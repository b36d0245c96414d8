"""Retry, cancel and lists over HTTP, on every backend."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System
from tests.workbench import eventually

CHOICE = "multiple_choice"


async def partial(system: System, messages_api: MessagesApi) -> dict[str, object]:
    """A generation whose second batch has failed."""
    messages_api.fail("Roots", Fault.UNAUTHORIZED, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 2))])
    generation: dict[str, object] = await system.ended(ordered["id"])
    assert generation["status"] == "partial"
    return generation


async def test_twenty_concurrent_retries_are_one(system: System, messages_api: MessagesApi) -> None:
    generation = await partial(system, messages_api)
    messages_api.hold()
    calls_before = len(messages_api.requests)
    path = f"/api/generations/{generation['id']}/retry"

    answers = await asyncio.gather(*(system.http.post(path) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 19
    messages_api.release()
    ended = await system.ended(str(generation["id"]))
    assert ended["status"] == "completed"
    assert len(messages_api.requests) == calls_before + 1
    heard = await system.listen(str(generation["id"]), query="?from=0")
    assert sum(event.type == "batch.requeued" for event in heard) == 1
    await system.assert_sound()


async def test_a_dry_run_says_what_a_retry_would_do_and_changes_nothing(
    system: System, messages_api: MessagesApi
) -> None:
    generation = await partial(system, messages_api)
    path = f"/api/generations/{generation['id']}"
    before = await system.get(path)
    answer = await system.post(f"{path}/retry?dry_run=true", expect=200)
    assert answer["retried"] == [before["batches"][1]["id"]]
    assert answer["untouched"] == 1
    assert await system.get(path) == before == answer["generation"]


async def test_only_the_named_batches_are_retried(system: System, messages_api: MessagesApi) -> None:
    messages_api.fail("Leaves", Fault.UNAUTHORIZED, times=1)
    generation = await partial_of_two(system, messages_api)
    path = f"/api/generations/{generation['id']}"
    first, second = (str(batch["id"]) for batch in generation["batches"])  # type: ignore[attr-defined] # JSON
    await system.post(f"{path}/retry", {"batch_ids": [second]})
    ended = await system.ended(str(generation["id"]))
    assert [batch["status"] for batch in ended["batches"]] == ["failed", "completed"]
    refused = await system.post(f"{path}/retry", {"batch_ids": [first, second]}, expect=409)
    assert "it is completed" in refused["detail"]
    unknown = await system.post(f"{path}/retry", {"batch_ids": [str(uuid4())]}, expect=422)
    assert unknown["errors"][0]["field"] == "batch_ids.0"


async def partial_of_two(system: System, messages_api: MessagesApi) -> dict[str, object]:
    messages_api.fail("Roots", Fault.UNAUTHORIZED, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 2))])
    generation: dict[str, object] = await system.ended(ordered["id"])
    assert generation["status"] == "failed"
    return generation


async def test_what_is_running_or_complete_can_not_be_retried(system: System, messages_api: MessagesApi) -> None:
    messages_api.hold()
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2))])
    await messages_api.held()
    running = await system.post(f"/api/generations/{ordered['id']}/retry", expect=409)
    assert "it is processing" in running["detail"]
    messages_api.release()
    await system.ended(ordered["id"])
    complete = await system.post(f"/api/generations/{ordered['id']}/retry", expect=409)
    assert "it is completed" in complete["detail"]


async def test_cancelling_keeps_what_is_done_and_stops_the_calls(system: System, messages_api: MessagesApi) -> None:
    messages_api.fail("Roots", Fault.STALL_MIDWAY, after=2)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 6))])
    path = f"/api/generations/{ordered['id']}"
    await system.heard_until(ordered["id"], lambda heard: heard.type == "batch.completed")
    roots = ordered["batches"][1]["id"]
    await system.heard_until(
        ordered["id"], lambda heard: heard.data.get("batch_id") == roots and heard.data.get("held_count") == 2
    )

    cancelled = await system.post(f"{path}/cancel", expect=200)

    assert cancelled["status"] == "cancelled"
    await asyncio.wait_for(messages_api.disconnected(), 5)
    calls = len(messages_api.requests)
    generation = await charged(system, path, calls)
    assert [batch["status"] for batch in generation["batches"]] == ["completed", "cancelled"]
    assert generation["batches"][1]["held_count"] == 2
    assert generation["can_resume"] is False
    assert await system.post(f"{path}/cancel", expect=200) == generation, "cancelling twice changes nothing"
    assert (await system.http.delete(path)).status_code == 200
    assert len(messages_api.requests) == calls
    heard = await system.listen(ordered["id"], query="?from=0")
    assert heard[-1].type == "generation.cancelled"
    await system.assert_sound()


async def charged(system: System, path: str, calls: int) -> Any:
    """The generation once all its calls are written down; one that was cut is so after the cancellation."""

    async def is_charged() -> bool:
        return bool((await system.get(path))["usage"]["llm_calls"] == calls)

    await eventually(is_charged)
    return await system.get(path)


async def test_what_has_ended_can_not_be_cancelled(system: System, messages_api: MessagesApi) -> None:
    generation = await partial(system, messages_api)
    answer = await system.http.delete(f"/api/generations/{generation['id']}")
    assert answer.status_code == 409
    assert "it is partial" in answer.json()["detail"]


async def test_lists_show_what_is_asked_for_page_by_page(system: System, messages_api: MessagesApi) -> None:
    generation = await partial(system, messages_api)
    others = [await system.order([module("Leaves", ("flashcard", 1))]) for _ in range(3)]
    for other in others:
        await system.ended(other["id"])
    newest = [other["id"] for other in reversed(others)] + [generation["id"]]

    found, cursor = [], ""
    while cursor is not None:
        page = await system.get("/api/generations", limit="3", **({"cursor": cursor} if cursor else {}))
        found += [entry["id"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert found == newest

    for query, wanted in (
        ({"status": "partial"}, [generation["id"]]),
        ({"resumable": "true"}, [generation["id"]]),
        ({"resumable": "false"}, newest[:-1]),
        ({"entity_type": "flashcard"}, newest[:-1]),
        ({"quiz_id": str(generation["quiz_id"])}, [generation["id"]]),
    ):
        page = await system.get("/api/generations", **query)
        assert [entry["id"] for entry in page["items"]] == wanted, query


async def test_a_second_order_on_a_quiz_repeats_no_question(system: System, messages_api: MessagesApi) -> None:
    system.add_worker()
    first = await system.order([module("Leaves", (CHOICE, 4))])
    await system.ended(first["id"])
    quiz = await system.get(f"/api/quizzes/{first['quiz_id']}")
    batch = {"module_id": quiz["modules"][0]["id"], "question_type": CHOICE, "target_count": 4}
    second = await system.post(f"/api/quizzes/{quiz['id']}/generations", {"batches": [batch]})
    await system.ended(second["id"])
    stems = [
        question["content"]["stem"]
        for ordered in (first, second)
        for question in (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]
    ]
    assert len(set(stems)) == len(stems) == 8
    assert len(messages_api.requests[-1].avoid) == 4, "the model is told what is asked already"


async def test_a_preset_orders_its_batches_for_every_module(system: System) -> None:
    quiz = await system.post(
        "/api/quizzes",
        {"title": "Plants", "modules": [{"name": "Leaves", "text": "A."}, {"name": "Roots", "text": "B."}]},
        expect=201,
    )
    ordered = await system.post(f"/api/quizzes/{quiz['id']}/generations", {"preset": "both", "target_count": 2})
    assert [(batch["question_type"], batch["difficulty"]) for batch in ordered["batches"]] == [
        (CHOICE, "easy"),
        (CHOICE, "medium"),
        ("flashcard", None),
    ] * 2
    key = ordered["batches"][0]["batch_key"]
    assert key == f"{quiz['modules'][0]['id']}_multiple_choice_2_easy"
    assert (await system.get(f"/api/quizzes/{quiz['id']}"))["status"] == "generating_questions"
