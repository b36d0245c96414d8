"""The pages over HTTP: what they load, what their forms set going, and how they say no."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from jobs.providers.offline import OfflineProvider
from jobs.topics import identify_topics
from schemas.states import QuestionType
from service.auth import LOCAL_OWNER
from service.store import tables
from tests import factories
from tests.factories import Ordered
from tests.workbench import Workbench, eventually

TEXT = "Leaves turn light into sugar. Roots take up water. Bark keeps the trunk from drying out."
JSON = {"Accept": "application/json"}


@pytest.fixture
async def http(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser asks for HTML."""
    http.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    return http


async def make_quiz(http: httpx.AsyncClient, *, modules: int = 2) -> Any:
    body = {"title": "Plants", "modules": [{"name": f"Part {number}", "text": TEXT} for number in range(modules)]}
    answer = await http.post("/api/quizzes", json=body)
    assert answer.status_code == 201
    return answer.json()


def choices(quiz: Any, **changes: Any) -> dict[str, Any]:
    """The order form as a browser sends it."""
    return {
        "module_id": [module["id"] for module in quiz["modules"]],
        "question_type": ["multiple_choice", "flashcard"],
        "count_multiple_choice": "3",
        "count_flashcard": "2",
        "difficulty": "",
        "priority": "normal",
        "instructions": "",
        **changes,
    }


async def failed(bench: Workbench) -> Ordered:
    """A generation whose only batch failed."""
    ordered = await bench.order(2, owner=LOCAL_OWNER)
    await factories.fail(bench.database, await factories.claim(bench.database, ordered.batch_ids[0]))
    return ordered


def where(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_the_start_page_shows_the_form_and_the_recent_quizzes(http: httpx.AsyncClient) -> None:
    quiz = await make_quiz(http)
    answer = await http.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'action="/quizzes"' in answer.text
    assert f'href="/?quiz={quiz["id"]}"' in answer.text


async def test_material_that_is_sent_makes_a_quiz_and_leads_to_its_order_form(http: httpx.AsyncClient) -> None:
    answer = await http.post("/quizzes", data={"title": "Plants"}, files=[("files", ("a.md", TEXT.encode()))])
    address = where(answer)
    assert address.startswith("/?quiz=")
    page = await http.get(address)
    assert "a.md" in page.text
    [listed] = (await http.get("/api/quizzes")).json()["items"]
    assert listed["status"] == "extracting_content"


async def test_a_form_that_is_refused_comes_back_with_the_reason_and_what_was_typed(http: httpx.AsyncClient) -> None:
    fields = {"title": "Plants & <more>", "text": "Roots take up water.", "language": "nonsense"}
    answer = await http.post("/quizzes", data=fields, files=[("files", ("", b""))])
    assert answer.status_code == 422
    assert "language" in answer.text
    assert 'value="Plants &amp; &lt;more&gt;"' in answer.text
    assert "Roots take up water." in answer.text
    assert (await http.get("/api/quizzes")).json()["items"] == []


async def test_a_form_that_can_not_be_read_gets_a_page_that_says_so(http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await http.post("/quizzes", content=b"no form", headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "the form can&#39;t be read" in answer.text


async def test_material_that_is_too_large_gets_a_page_that_says_so(http: httpx.AsyncClient, bench: Workbench) -> None:
    bytes_max = bench.settings.upload_mb_max * 1024 * 1024

    async def chunks() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
        for _ in range(bytes_max // (1024 * 1024) + 1):
            yield b"x" * 1024 * 1024

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await http.post("/quizzes", content=chunks(), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (await http.get("/api/quizzes")).json()["items"] == []


async def test_an_order_is_every_chosen_module_times_every_chosen_type(http: httpx.AsyncClient) -> None:
    quiz = await make_quiz(http)
    answer = await http.post(f"/quizzes/{quiz['id']}/generations", data=choices(quiz, difficulty="hard"))
    generation = (await http.get("/api" + where(answer))).json()
    first, second = (module["id"] for module in quiz["modules"])
    assert [(one["module_id"], one["question_type"], one["target_count"]) for one in generation["batches"]] == [
        (first, "multiple_choice", 3),
        (first, "flashcard", 2),
        (second, "multiple_choice", 3),
        (second, "flashcard", 2),
    ]
    assert {one["difficulty"] for one in generation["batches"]} == {"hard"}


async def test_priority_and_instructions_go_along(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz = await make_quiz(http)
    data = choices(quiz, priority="high", instructions="Be kind.", difficulty="easy")
    generation = (
        await http.get("/api" + where(await http.post(f"/quizzes/{quiz['id']}/generations", data=data)))
    ).json()
    assert generation["priority"] == "high"
    claim = await factories.claim(bench.database, UUID(generation["batches"][0]["id"]))
    assert claim.instructions == "Be kind."
    assert claim.difficulty == "easy"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"module_id": []}, "choose at least one module"),
        ({"question_type": []}, "choose at least one module"),
        ({"question_type": ["essay"]}, "count_essay"),
        ({"preset": "exam", "preset_count": "2"}, "must be one of quiz, flashcards, both"),
        ({"preset": "quiz", "preset_count": ""}, "preset_count"),
        ({"count_flashcard": ""}, "count_flashcard"),
        ({"count_flashcard": "0"}, "target_count"),
        ({"count_flashcard": "-1"}, "count_flashcard"),
        ({"count_flashcard": "1000000"}, "count_flashcard"),
        ({"count_flashcard": "51"}, "at most 50"),
        ({"count_flashcard": "\u0663"}, "count_flashcard"),
        ({"module_id": [str(UUID(int=7))]}, "is no module of this quiz"),
        ({"module_id": ["none"]}, "module_id"),
        ({"difficulty": "brutal"}, "difficulty"),
        ({"priority": "urgent"}, "priority"),
        ({"instructions": "x" * 4001}, "instructions"),
    ],
    ids=str,
)
async def test_an_order_that_is_refused_shows_the_form_again_with_the_reason(
    http: httpx.AsyncClient, changes: dict[str, Any], said: str
) -> None:
    quiz = await make_quiz(http)
    answer = await http.post(f"/quizzes/{quiz['id']}/generations", data=choices(quiz, **changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'action="/quizzes/{quiz["id"]}/generations"' in answer.text
    assert (await http.get("/api/generations")).json()["items"] == []


async def test_pages_show_what_there_is(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await bench.order(2, 2, owner=LOCAL_OWNER, question_type=QuestionType.MULTIPLE_CHOICE)
    saving, failing = [await factories.claim(bench.database, batch_id) for batch_id in ordered.batch_ids]
    await factories.complete(bench.database, saving)
    await factories.fail(bench.database, failing)
    generation = await http.get(f"/generations/{ordered.generation_id}")
    assert f'data-batch-id="{ordered.batch_ids[1]}"' in generation.text
    assert "Retry Failed Batches" in generation.text
    quiz = await http.get(f"/quizzes/{ordered.quiz_id}")
    assert "What is fact" in quiz.text
    listed = await http.get("/generations", params={"quiz_id": str(ordered.quiz_id)})
    assert str(ordered.generation_id) in listed.text
    other = await http.get("/generations", params={"quiz_id": str(uuid4())})
    assert str(ordered.generation_id) not in other.text


@pytest.mark.parametrize("path", ["/quizzes/{}", "/generations/{}", "/?quiz={}"])
async def test_what_is_not_there_gets_a_page_that_says_so(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path.format(uuid4()))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "there is no" in answer.text


async def test_a_script_that_asks_for_json_gets_its_errors_as_problems(http: httpx.AsyncClient) -> None:
    answer = await http.post(f"/generations/{uuid4()}/retry", headers=JSON)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/?quiz=1", "/generations?quiz_id=1"])
async def test_an_address_that_is_none_is_refused(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 422


async def test_the_retry_button_works_without_a_script(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await failed(bench)
    answer = await http.post(f"/generations/{ordered.generation_id}/retry")
    assert where(answer) == f"/generations/{ordered.generation_id}"
    assert (await http.get(f"/api/generations/{ordered.generation_id}")).json()["status"] == "processing"
    again = await http.post(f"/generations/{ordered.generation_id}/retry")
    assert again.status_code == 409
    assert "can&#39;t be retried: it is processing" in again.text


async def test_the_retry_button_works_with_a_script(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await failed(bench)
    answer = await http.post(f"/generations/{ordered.generation_id}/retry", headers=JSON)
    assert answer.status_code == 202
    assert answer.json()["retried"] == [str(ordered.batch_ids[0])]


async def test_one_failed_batch_can_be_retried_with_and_without_a_script(
    http: httpx.AsyncClient, bench: Workbench
) -> None:
    ordered = await failed(bench)
    path = f"/generations/{ordered.generation_id}/batches"
    unknown = await http.post(f"{path}/{uuid4()}/retry", headers=JSON)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "batch_ids.0")
    answer = await http.post(f"{path}/{ordered.batch_ids[0]}/retry", headers=JSON)
    assert (answer.status_code, answer.json()["retried"]) == (202, [str(ordered.batch_ids[0])])
    ordered = await failed(bench)
    plain = await http.post(f"/generations/{ordered.generation_id}/batches/{ordered.batch_ids[0]}/retry")
    assert where(plain) == f"/generations/{ordered.generation_id}"
    assert (await http.get(f"/api/generations/{ordered.generation_id}")).json()["status"] == "processing"


async def test_the_cancel_button_works_with_and_without_a_script(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await bench.order(2, owner=LOCAL_OWNER)
    answer = await http.post(f"/generations/{ordered.generation_id}/cancel")
    assert where(answer) == f"/generations/{ordered.generation_id}"
    twice = await http.post(f"/generations/{ordered.generation_id}/cancel", headers=JSON)
    assert (twice.status_code, twice.json()["status"]) == (200, "cancelled")


async def test_buttons_pressed_from_another_site_do_nothing(http: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await bench.order(2, owner=LOCAL_OWNER)
    answer = await http.post(f"/generations/{ordered.generation_id}/cancel", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await http.get(f"/api/generations/{ordered.generation_id}")).json()["status"] == "pending"


async def test_a_quiz_of_many_modules_can_be_ordered_from_its_page(http: httpx.AsyncClient) -> None:
    quiz = await make_quiz(http, modules=60)
    answer = await http.post(f"/quizzes/{quiz['id']}/generations", data=choices(quiz))
    generation_id = where(answer).removeprefix("/generations/")
    generation = (await http.get(f"/api/generations/{generation_id}")).json()
    assert len(generation["batches"]) == 120


async def test_the_topics_button_waits_for_a_worker_and_says_when_there_is_none_to_ask(
    http: httpx.AsyncClient, bench: Workbench
) -> None:
    empty = await make_quiz(http, modules=1)
    async with bench.database.write() as tx:
        await tx.execute(sa.delete(tables.modules))
    refused = await http.post(f"/quizzes/{empty['id']}/topics")
    assert refused.status_code == 409
    assert "has no modules to find topics in" in refused.text

    quiz = await make_quiz(http, modules=1)
    asking = asyncio.create_task(http.post(f"/quizzes/{quiz['id']}/topics"))

    async def is_queued() -> bool:
        return bool(await bench.queued())

    await eventually(is_queued)
    [job_id] = await bench.queued()
    _, identification_id, fence = job_id.split(":")
    workshop = bench.workshop(OfflineProvider())
    await identify_topics({"workshop": workshop, "job_id": job_id}, identification_id, int(fence))
    await workshop.provider.close()
    answered = await asking
    assert (answered.status_code, answered.headers["location"]) == (303, f"/quizzes/{quiz['id']}#contents-heading")
    shown = (await http.get(f"/quizzes/{quiz['id']}")).text
    assert "Find topics" in shown
    assert ">Trunk</span>" in shown


@pytest.mark.parametrize("path", ["/nowhere", "/generations/not-an-id"])
async def test_an_unknown_address_gets_a_page_in_a_browser_and_a_problem_in_a_script(
    http: httpx.AsyncClient, path: str
) -> None:
    shown = await http.get(path)
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    told = await http.get(path, headers=JSON)
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


async def test_an_order_from_material_that_is_still_being_read_is_refused(http: httpx.AsyncClient) -> None:
    uploaded = await http.post("/quizzes", data={"title": "Plants", "text": TEXT}, files={})
    quiz_id = where(uploaded).removeprefix("/?quiz=")
    answer = await http.post(f"/api/quizzes/{quiz_id}/generations", json={"preset": "quiz", "target_count": 1})
    assert answer.status_code == 409
    assert "its material is being read" in answer.text


async def test_a_preset_is_ordered_for_the_chosen_modules_whatever_types_are_ticked(http: httpx.AsyncClient) -> None:
    quiz = await make_quiz(http)
    form = choices(quiz, module_id=[quiz["modules"][0]["id"]], preset="both", preset_count="2")
    location = where(await http.post(f"/quizzes/{quiz['id']}/generations", data=form))
    generation = (await http.get(f"/api{location}")).json()
    assert [
        (batch["question_type"], batch["difficulty"], batch["target_count"]) for batch in generation["batches"]
    ] == [("multiple_choice", "easy", 2), ("multiple_choice", "medium", 2), ("flashcard", None, 2)]
