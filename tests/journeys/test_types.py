"""Multiple response, matching and numeric questions, from the order to the exported file, with and without a model."""

import csv
import io
from typing import Any

from tests.journeys.orders import module
from tests.messages_api import MessagesApi
from tests.messages_faults import Fault
from tests.system import System

RESPONSE, MATCHING, NUMERIC = "multiple_response", "matching", "numeric"
TYPES = (RESPONSE, MATCHING, NUMERIC)


async def saved_by_type(system: System, generation_id: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for question in (await system.get(f"/api/generations/{generation_id}/questions", limit="100"))["items"]:
        found.setdefault(question["question_type"], []).append(question)
    return found


def assert_well_formed(saved: dict[str, list[dict[str, Any]]]) -> None:
    for question in saved[RESPONSE]:
        content = question["content"]
        assert 2 <= len(content["answers"]) < len(content["options"]) <= 6
        assert content["answers"] == sorted(set(content["answers"]))
    for question in saved[MATCHING]:
        content = question["content"]
        rights = [pair["right"] for pair in content["pairs"]] + content["extra_rights"]
        assert len(content["pairs"]) >= 3
        assert len(set(rights)) == len(rights)
        assert len({pair["left"] for pair in content["pairs"]}) == len(content["pairs"])
    for question in saved[NUMERIC]:
        assert question["content"]["tolerance"] >= 0


async def assert_exported(system: System, quiz_id: str, saved: dict[str, list[dict[str, Any]]]) -> None:
    """Both formats hold every question, and a spreadsheet shows the whole answer of each."""
    document = await system.get(f"/api/quizzes/{quiz_id}/export/json")
    everything = {question["id"]: question["content"] for questions in saved.values() for question in questions}
    assert {question["id"]: question["content"] for question in document["questions"]} == everything
    response = await system.http.get(f"/api/quizzes/{quiz_id}/export/csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))}
    assert set(rows) == set(everything)
    for question in saved[RESPONSE]:
        content, row = question["content"], rows[question["id"]]
        assert row["answer"] == " | ".join(content["options"][index] for index in content["answers"])
        assert [row[f"option_{number}"] for number in range(1, len(content["options"]) + 1)] == content["options"]
    for question in saved[MATCHING]:
        content, row = question["content"], rows[question["id"]]
        assert row["answer"] == " | ".join(f"{pair['left']} = {pair['right']}" for pair in content["pairs"])
    for question in saved[NUMERIC]:
        content, row = question["content"], rows[question["id"]]
        assert float(row["answer"].lstrip("'").partition(" ± ")[0]) == content["answer"]


async def test_all_three_are_made_offline_and_exported(offline_system: System, chapter: str) -> None:
    offline_system.add_worker()
    ordered = await offline_system.order([module("Plants", (RESPONSE, 8), (MATCHING, 8), (NUMERIC, 20), text=chapter)])

    ended = await offline_system.ended(ordered["id"])

    assert ended["status"] == "completed", ended["batches"]
    assert ended["entity_type"] == "question"
    saved = await saved_by_type(offline_system, ordered["id"])
    assert {question_type: len(questions) for question_type, questions in saved.items()} == {
        RESPONSE: 8,
        MATCHING: 8,
        NUMERIC: 20,
    }
    assert_well_formed(saved)
    for question in (question for questions in saved.values() for question in questions):
        evidence = question["evidence"]
        assert chapter[evidence["start"] : evidence["end"]] == evidence["quote"]
    await assert_exported(offline_system, ordered["quiz_id"], saved)
    page = await offline_system.http.get(f"/quizzes/{ordered['quiz_id']}")
    assert page.text.count('class="answers pairs"') == 8
    await offline_system.assert_sound()


async def test_what_a_text_does_not_yield_fails_and_what_it_does_can_be_kept(offline_system: System) -> None:
    offline_system.add_worker()
    ordered = await offline_system.order([module("Leaves", *((question_type, 30) for question_type in TYPES))])

    ended = await offline_system.ended(ordered["id"])

    assert ended["status"] == "failed"
    assert {batch["error"]["code"] for batch in ended["batches"]} == {"source_exhausted"}
    response, matching, numeric = ended["batches"]
    assert 0 < matching["held_count"] < 30
    assert numeric["held_count"] == 0, "Leaves holds no number"
    assert "yields no numeric questions offline; 30 more were asked for" in numeric["error"]["message"]
    assert response["held_count"] < 30

    await offline_system.post(f"/api/generations/{ordered['id']}/retry")
    again = await offline_system.ended(ordered["id"])
    assert [batch["held_count"] for batch in again["batches"]] == [batch["held_count"] for batch in ended["batches"]]

    accepted = await offline_system.post(f"/api/batches/{matching['id']}/accept", expect=200)
    assert accepted["saved_count"] == matching["held_count"]
    saved = await saved_by_type(offline_system, ordered["id"])
    assert set(saved) == {MATCHING}
    await offline_system.assert_sound()


async def test_all_three_are_ordered_from_a_model_retried_and_exported(
    system: System, messages_api: MessagesApi
) -> None:
    messages_api.fail("Roots", Fault.REFUSAL, after=3, times=3)
    system.add_worker()
    ordered = await system.order(
        [
            module("Leaves", *((question_type, 3) for question_type in TYPES)),
            module("Roots", *((question_type, 5) for question_type in TYPES)),
        ]
    )
    ended = await system.ended(ordered["id"])
    assert ended["status"] == "partial"
    assert [batch["held_count"] for batch in ended["batches"]] == [0, 0, 0, 3, 3, 3]
    before = await saved_by_type(system, ordered["id"])
    assert {question_type: len(questions) for question_type, questions in before.items()} == dict.fromkeys(TYPES, 3)
    calls_before = len(messages_api.requests)

    await system.post(f"/api/generations/{ordered['id']}/retry")
    ended = await system.ended(ordered["id"])

    assert ended["status"] == "completed"
    retried = messages_api.requests[calls_before:]
    assert sorted((call.module, call.question_type, call.count) for call in retried) == sorted(
        ("Roots", question_type, 2) for question_type in TYPES
    )
    assert all(call.avoid for call in retried), "what is held is not asked for again"
    saved = await saved_by_type(system, ordered["id"])
    assert {question_type: len(questions) for question_type, questions in saved.items()} == dict.fromkeys(TYPES, 8)
    assert_well_formed(saved)
    await assert_exported(system, ordered["quiz_id"], saved)
    await system.assert_sound()


async def test_a_broken_answer_of_each_is_sent_back_with_the_reason(system: System, messages_api: MessagesApi) -> None:
    messages_api.fail("Leaves", Fault.WRONG_SCHEMA, times=3, after=3)
    system.add_worker()
    ordered = await system.order([module("Leaves", *((question_type, 3) for question_type in TYPES))])

    ended = await system.ended(ordered["id"])

    assert ended["status"] == "completed"
    assert [batch["attempts"] for batch in ended["batches"]] == [1, 1, 1]
    corrections = [call for call in messages_api.requests if call.corrections]
    assert {call.question_type for call in corrections} == set(TYPES)
    assert all("quote: Field required" in call.corrections[0] for call in corrections)
