"""From an order to saved questions, over the real app, the real worker and the real SDK, on every backend."""

import pytest

from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System

CHOICE, CARD = "multiple_choice", "flashcard"


async def test_an_order_becomes_saved_questions_and_a_log_that_tells_of_each(system: System) -> None:
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 4)), module("Roots", (CARD, 3))])
    assert ordered["status"] == "pending"
    assert ordered["message"] == "Generating... usually under 1 minute. 0 of 7 questions created"
    assert ordered["entity_type"] == "mixed"

    ended = await system.ended(ordered["id"])

    assert ended["status"] == "completed"
    assert ended["message"] == "7 of 7 questions created"
    assert [batch["saved_count"] for batch in ended["batches"]] == [4, 3]
    assert ended["usage"]["llm_calls"] >= 2
    assert ended["usage"]["output_tokens"] > 0
    saved = await system.get(f"/api/generations/{ordered['id']}/questions")
    assert [question["question_type"] for question in saved["items"]] == [CHOICE] * 4 + [CARD] * 3
    heard = await system.listen(ordered["id"], query="?from=0")
    assert [event.id for event in heard] == [str(number) for number in range(1, len(heard) + 1)]
    assert heard[0].type == "generation.started"
    assert heard[-1].type == "generation.completed"
    assert sum(event.type == "question.accepted" for event in heard) == 7
    assert sum(event.type == "batch.completed" for event in heard) == 2
    await system.assert_sound()


async def test_every_question_carries_evidence_that_stands_in_its_module(system: System) -> None:
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 5))])
    await system.ended(ordered["id"])
    quiz = await system.get(f"/api/quizzes/{ordered['quiz_id']}")
    text = (await system.get(f"/api/quizzes/{quiz['id']}/modules/{quiz['modules'][0]['id']}"))["text"]

    for question in (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]:
        evidence = question["evidence"]
        assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
        assert len(question["content"]["options"]) >= 3


async def test_a_failed_batch_leaves_a_partial_generation_that_holds_what_passed(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=2)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3)), module("Roots", (CHOICE, 8))])

    ended = await system.ended(ordered["id"])

    assert ended["status"] == "partial"
    assert ended["message"] == "3 of 11 questions created"
    assert (ended["requested_count"], ended["generated_count"], ended["failed_count"]) == (11, 3, 8)
    assert ended["can_resume"] is True
    failed = ended["batches"][1]
    assert failed["status"] == "failed"
    assert failed["attempts"] == 1, "another attempt would be refused as well"
    assert failed["error"]["code"] == "provider_rejected"
    assert failed["held_count"] == ended["held_count"] == 2, "two passed before the model refused"
    saved = await system.get(f"/api/generations/{ordered['id']}/questions")
    assert len(saved["items"]) == 3, "held questions are not visible"
    quiz = await system.get(f"/api/quizzes/{ordered['quiz_id']}")
    assert quiz["status"] == "ready_for_review_partial"
    metadata = quiz["generation_metadata"]
    assert metadata["failed_batches"] == [failed["batch_key"]]
    assert metadata["total_questions_saved"] == 3
    await system.assert_sound()


async def test_a_provider_that_is_down_for_everyone_costs_no_attempt_and_is_told_of(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.OVERLOADED, times=3)
    system.add_worker()
    ordered = await system.order([module("Roots", (CHOICE, 3))])
    await system.heard_until(ordered["id"], lambda heard: heard.type == "batch.retrying")
    waiting = await system.get(f"/api/generations/{ordered['id']}")
    assert waiting["message"] == "Waiting for the provider, which is overloaded. 0 of 3 questions created"

    ended = await system.ended(ordered["id"])

    assert (ended["status"], ended["message"]) == ("completed", "3 of 3 questions created")
    assert [batch["attempts"] for batch in ended["batches"]] == [1]
    assert len(messages_api.requests) == 4
    await system.assert_sound()


async def test_answers_that_break_off_are_completed_by_asking_for_the_rest(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.OVERLOADED_MIDWAY, after=2, times=2)
    system.add_worker()
    ordered = await system.order([module("Roots", (CHOICE, 6))])
    ended = await system.ended(ordered["id"])
    assert ended["status"] == "completed"
    assert [call.count for call in messages_api.requests] == [6, 4, 2]
    assert [batch["attempts"] for batch in ended["batches"]] == [1]
    await system.assert_sound()


async def test_a_retry_does_only_what_failed_and_asks_only_for_what_is_missing(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=3, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 3)), module("Roots", (CHOICE, 5))])
    await system.ended(ordered["id"])
    before = (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]
    calls_before = len(messages_api.requests)

    retried = await system.post(f"/api/generations/{ordered['id']}/retry")
    assert retried["untouched"] == 1
    assert retried["generation"]["status"] == "processing"
    ended = await system.ended(ordered["id"])

    assert ended["status"] == "completed"
    [call] = messages_api.requests[calls_before:]
    assert (call.module, call.count) == ("Roots", 2)
    after = (await system.get(f"/api/generations/{ordered['id']}/questions"))["items"]
    assert after[: len(before)] == before, "what was saved keeps ids and content"
    assert len(after) == 8
    attempts = (await system.get(f"/api/generations/{ordered['id']}/attempts"))["items"]
    assert [attempt["outcome"] for attempt in attempts] == ["partial_success", "complete_success"]
    quiz = await system.get(f"/api/quizzes/{ordered['quiz_id']}")
    assert quiz["status"] == "ready_for_review"
    assert quiz["generation_metadata"]["failed_batches"] == []
    assert quiz["generation_metadata"]["total_questions_saved"] == 8
    await system.assert_sound()


@pytest.mark.parametrize("fault", [Fault.BAD_EVIDENCE, Fault.DUPLICATES, Fault.WRONG_SCHEMA, Fault.MALFORMED])
async def test_an_answer_that_does_not_pass_is_sent_back_with_the_reason(
    system: System, messages_api: MessagesApi, fault: Fault
) -> None:
    messages_api.fail("Leaves", fault, times=1)
    system.add_worker()
    ordered = await system.order([module("Leaves", (CHOICE, 4))])

    ended = await system.ended(ordered["id"])

    assert ended["status"] == "completed"
    assert ended["batches"][0]["attempts"] == 1, "a correction is not another attempt"
    first, second = messages_api.requests[:2]
    assert first.count == 4
    assert second.count <= 4
    await system.assert_sound()
