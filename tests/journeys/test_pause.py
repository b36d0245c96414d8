"""Pause, resume and accept over HTTP, on every backend."""

import asyncio
from uuid import uuid4

from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System

CHOICE = "multiple_choice"


async def test_a_pause_stops_the_calls_keeps_what_passed_and_a_resume_asks_for_the_rest(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.hold(after_questions=2)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 6))])
    path = f"/api/generations/{ordered['id']}"
    await messages_api.held()
    await system.heard_until(ordered["id"], lambda heard: heard.data["totals"]["held"] == 2)

    paused = await system.post(f"{path}/pause", expect=200)

    assert paused["status"] == "paused"
    assert paused["can_resume"] is True
    await asyncio.wait_for(messages_api.disconnected(), 2)
    await system.heard_until(ordered["id"], lambda heard: heard.type == "batch.requeued")
    assert (await system.get(path))["held_count"] == 2
    assert (await system.post(f"{path}/pause", expect=200))["status"] == "paused", "pausing twice changes nothing"
    assert [entry["id"] for entry in (await system.get("/api/generations", resumable="true"))["items"]] == [
        ordered["id"]
    ]
    refused = await system.post(f"{path}/retry", expect=409)
    assert "it is paused" in refused["detail"]

    messages_api.release()
    assert (await system.post(f"{path}/resume", expect=200))["status"] == "processing"
    ended = await system.ended(ordered["id"])
    assert ended["status"] == "completed"
    assert [request.count for request in messages_api.requests] == [6, 4]
    assert ended["batches"][0]["error"] is None
    heard = [event.type for event in await system.listen(ordered["id"], query="?from=0")]
    assert heard.index("generation.paused") < heard.index("generation.resumed")
    await system.assert_sound()


async def test_an_order_can_be_paused_before_any_worker_has_seen_it(system: System) -> None:
    ordered = await system.order([module("Leaves", (CHOICE, 2))])
    path = f"/api/generations/{ordered['id']}"
    await system.post(f"{path}/pause", expect=200)
    system.add_worker()
    other = await system.order([module("Roots", (CHOICE, 2))])
    await system.ended(other["id"])
    assert (await system.get(path))["status"] == "paused"
    assert (await system.post(f"{path}/resume", expect=200))["status"] == "pending"
    assert (await system.ended(ordered["id"]))["status"] == "completed"


async def test_what_has_ended_or_is_not_paused_is_refused_with_its_state(system: System) -> None:
    ordered = await system.order([module("Leaves", (CHOICE, 2))])
    path = f"/api/generations/{ordered['id']}"
    assert "it is pending" in (await system.post(f"{path}/resume", expect=409))["detail"]
    await system.post(f"{path}/cancel", expect=200)
    for step in ("pause", "resume", "retry"):
        assert "it is cancelled" in (await system.post(f"{path}/{step}", expect=409))["detail"]


async def test_a_failed_batch_can_be_accepted_with_what_it_holds(system: System, messages_api: MessagesApi) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=3)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2)), module("Roots", (CHOICE, 8))])
    partial = await system.ended(ordered["id"])
    failed = partial["batches"][1]
    assert failed["held_count"] == 3

    batch = await system.post(f"/api/batches/{failed['id']}/accept", expect=200)

    assert batch["status"] == "completed"
    assert (batch["target_count"], batch["saved_count"], batch["held_count"]) == (3, 3, 0)
    assert batch["batch_key"] == failed["batch_key"], "its key stays"
    generation = await system.get(f"/api/generations/{ordered['id']}")
    assert generation["status"] == "completed"
    assert generation["message"] == "5 of 5 questions created"
    saved = await system.get(f"/api/generations/{ordered['id']}/questions")
    assert len(saved["items"]) == 5
    heard = await system.listen(ordered["id"], last_event_id=str(partial["last_event_id"]))
    assert [event.type for event in heard] == ["batch.completed", "generation.completed"]
    metadata = (await system.get(f"/api/quizzes/{ordered['quiz_id']}"))["generation_metadata"]
    assert metadata["failed_batches"] == []
    assert metadata["total_questions_saved"] == 5
    assert "it is completed" in (await system.post(f"/api/batches/{failed['id']}/accept", expect=409))["detail"]
    await system.assert_sound()


async def test_a_batch_that_holds_nothing_or_is_unknown_can_not_be_accepted(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Leaves", Fault.UNAUTHORIZED)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 2))])
    ended = await system.ended(ordered["id"])
    refused = await system.post(f"/api/batches/{ended['batches'][0]['id']}/accept", expect=409)
    assert "holds 0" in refused["detail"]
    await system.post(f"/api/batches/{uuid4()}/accept", expect=404)
