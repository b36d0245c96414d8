"""Money over HTTP: estimates that order nothing, limits, and going on with a higher one."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from schemas.calls import Call, CallOutcome
from service.app import create_app
from service.auth import LOCAL_OWNER
from service.store import budget
from tests import factories
from tests.factories import Ordered
from tests.workbench import Workbench

TEXT = "Leaves turn light into sugar. Roots take up water. " * 200
JSON = {"Accept": "application/json"}
MODEL = "claude-sonnet-5-5"


@pytest.fixture
async def paid(bench: Workbench) -> AsyncIterator[httpx.AsyncClient]:
    """A service whose questions a model writes."""
    changes = {"provider": "anthropic", "anthropic_api_key": SecretStr("key"), "model": MODEL}
    app = create_app(bench.settings.model_copy(update=changes), bench.connect())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client,
    ):
        yield client


def order(**changes: Any) -> dict[str, Any]:
    batches = [{"question_type": "multiple_choice", "target_count": 20}]
    return {"title": "Plants", "modules": [{"name": "Leaves", "text": TEXT, "batches": batches}], **changes}


async def make_quiz(http: httpx.AsyncClient) -> Any:
    answer = await http.post("/api/quizzes", json={"title": "Plants", "modules": [{"name": "Leaves", "text": TEXT}]})
    return answer.json()


async def capped(bench: Workbench, http: httpx.AsyncClient) -> Ordered:
    """A generation that has cost two dollars of at most one."""
    found = (await http.post("/api/generations", json=order(cost_max_usd=1))).json()
    claimed = await factories.claim(bench.database, UUID(found["batches"][0]["id"]))
    async with bench.database.write() as tx:
        await budget.charge(tx, [(claimed, [Call(number=1, model=MODEL, outcome=CallOutcome.EMPTY, cost_usd=2.0)])])
    return Ordered(UUID(found["quiz_id"]), (), claimed.generation_id, (claimed.batch_id,))


async def test_an_estimate_orders_nothing(paid: httpx.AsyncClient) -> None:
    quiz = await make_quiz(paid)
    for path, body in (
        ("/api/generations", order()),
        (f"/api/quizzes/{quiz['id']}/generations", {"preset": "quiz", "target_count": 10}),
    ):
        answer = await paid.post(f"{path}?estimate=true", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["questions"], found["calls"], found["provider"], found["model"]) == (20, 2, "anthropic", MODEL)
        assert 0 < found["cost_usd"]["low"] < found["cost_usd"]["expected"] < found["cost_usd"]["high"]
        assert found["seconds"]["expected"] > 0
        assert found["prices_as_of"] >= "2026-10-24"
    assert (await paid.get("/api/generations")).json()["items"] == []
    assert len((await paid.get("/api/quizzes")).json()["items"]) == 1


async def test_the_estimate_of_another_model_is_that_of_its_price(paid: httpx.AsyncClient) -> None:
    dear = (await paid.post("/api/generations?estimate=true", json=order(model="claude-fable-5-1"))).json()
    unknown = (await paid.post("/api/generations?estimate=true", json=order(model="llama-at-home"))).json()
    usual = (await paid.post("/api/generations?estimate=true", json=order())).json()
    assert dear["cost_usd"]["expected"] > usual["cost_usd"]["expected"]
    assert (unknown["cost_usd"], unknown["model"]) == (None, "llama-at-home")


async def test_what_could_not_be_ordered_has_no_estimate(paid: httpx.AsyncClient) -> None:
    quiz = await make_quiz(paid)
    batch = {"module_id": quiz["modules"][0]["id"], "question_type": "flashcard", "target_count": 5000}
    path = f"/api/quizzes/{quiz['id']}/generations"
    ordered, estimated = [await paid.post(path + query, json={"batches": [batch]}) for query in ("", "?estimate=true")]
    assert ordered.status_code == estimated.status_code == 422
    assert ordered.json() == estimated.json()
    assert (await paid.post("/api/generations?estimate=maybe", json=order())).status_code == 422
    unknown = path.replace(quiz["id"], quiz["modules"][0]["id"])
    assert (await paid.post(f"{unknown}?estimate=true", json={"batches": [batch]})).status_code == 404


async def test_offline_an_estimate_says_that_nothing_costs(http: httpx.AsyncClient) -> None:
    found = (await http.post("/api/generations?estimate=true", json=order())).json()
    assert (found["provider"], found["model"], found["cost_usd"]["high"]) == ("offline", None, 0)


@pytest.mark.parametrize("limit", [0, -1, "2", True, 1e9])
async def test_a_limit_is_an_amount_of_dollars(paid: httpx.AsyncClient, limit: object) -> None:
    answer = await paid.post("/api/generations", json=order(cost_max_usd=limit))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cost_max_usd"


async def test_a_limit_is_kept_by_every_way_to_order(paid: httpx.AsyncClient) -> None:
    quiz = await make_quiz(paid)
    preset = {"preset": "flashcards", "target_count": 3, "cost_max_usd": 2}
    for path, body in (
        ("/api/generations", order(cost_max_usd=2)),
        (f"/api/quizzes/{quiz['id']}/generations", preset),
    ):
        answer = await paid.post(path, json=body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["cost_max_usd"] == 2


async def test_a_limit_that_nobody_could_hold_is_refused_with_the_reason(paid: httpx.AsyncClient) -> None:
    answer = await paid.post("/api/generations", json=order(cost_max_usd=2, model="llama-at-home"))
    assert answer.status_code == 422
    [problem] = answer.json()["errors"]
    assert problem["field"] == "cost_max_usd"
    assert "the price of the model llama-at-home is not known" in problem["message"]
    assert (await paid.get("/api/quizzes")).json()["items"] == []


async def test_what_has_cost_its_limit_is_resumed_with_a_higher_one_only(
    paid: httpx.AsyncClient, bench: Workbench
) -> None:
    path = f"/api/generations/{(await capped(bench, paid)).generation_id}"
    paused = (await paid.get(path)).json()
    assert (paused["status"], paused["error"]["code"]) == ("paused", "budget_exceeded")
    assert paused["usage"]["waste"] == [{"reason": "empty", "calls": 1, "output_tokens": 0, "cost_usd": 2.0}]
    assert paused["batches"][0]["usage"]["cost_usd"] == 2.0
    [run] = (await paid.get(f"{path}/attempts")).json()["items"]
    assert run["cost_usd"] == run["batches"][0]["cost_usd"] == 2.0
    for body in (None, {"cost_max_usd": 2}):
        refused = await paid.post(f"{path}/resume", json=body) if body else await paid.post(f"{path}/resume")
        assert refused.status_code == 409
        assert "it has cost $2.00 of at most $" in refused.json()["detail"]
    assert (await paid.post(f"{path}/resume", json={"limit": 3})).status_code == 422
    resumed = await paid.post(f"{path}/resume", json={"cost_max_usd": 3})
    assert resumed.status_code == 200, resumed.text
    assert (resumed.json()["status"], resumed.json()["cost_max_usd"]) == ("processing", 3)


async def test_the_order_page_estimates_and_limits(paid: httpx.AsyncClient) -> None:
    quiz = await make_quiz(paid)
    page = (await paid.get(f"/?quiz={quiz['id']}")).text
    assert 'name="cost_max_usd"' in page
    assert 'formaction="/quizzes/' in page
    form = {
        "module_id": quiz["modules"][0]["id"],
        "question_type": "flashcard",
        "count_flashcard": "7",
        "cost_max_usd": "2.50",
    }
    path = f"/quizzes/{quiz['id']}/generations"
    estimated = await paid.post(f"{path}?estimate=true", data=form)
    assert estimated.status_code == 200
    assert "about $0.0" in estimated.text
    assert 'value="2.50"' in estimated.text, "the form stays as it was"
    assert (await paid.post(f"{path}?estimate=true", data=form, headers=JSON)).json()["questions"] == 7
    assert (await paid.get("/api/generations")).json()["items"] == []

    ordered = await paid.post(path, data=form)
    assert ordered.status_code == 303
    [generation] = (await paid.get("/api/generations")).json()["items"]
    assert generation["cost_max_usd"] == 2.5
    refused = await paid.post(path, data={**form, "cost_max_usd": "much"})
    assert refused.status_code == 422
    assert "must be an amount of US dollars" in refused.text
    for_script = await paid.post(f"{path}?estimate=true", data={**form, "cost_max_usd": "much"}, headers=JSON)
    assert for_script.json()["errors"][0]["field"] == "cost_max_usd"


async def test_a_page_resumes_with_a_higher_limit(paid: httpx.AsyncClient, bench: Workbench) -> None:
    ordered = await capped(bench, paid)
    path = f"/generations/{ordered.generation_id}"
    page = (await paid.get(path)).text
    assert "paused: it has cost $2.00 of at most $1.00; resume with a higher cap (budget_exceeded)" in page
    assert 'name="cost_max_usd"' in page
    assert (await paid.post(f"{path}/resume", data={"cost_max_usd": ""}, headers=JSON)).status_code == 409
    assert (await paid.post(f"{path}/resume", data={"cost_max_usd": "4"})).status_code == 303
    assert (await paid.get(f"/api{path}")).json()["cost_max_usd"] == 4


async def test_pages_of_what_costs_nothing_speak_of_no_cost(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz = await make_quiz(http)
    assert "cost_max_usd" not in (await http.get(f"/?quiz={quiz['id']}")).text
    ordered = await bench.order(2, owner=LOCAL_OWNER)
    page = (await http.get(f"/generations/{ordered.generation_id}", headers={"Accept": "text/html"})).text
    assert 'data-part="usage" hidden' in page
