"""A client of a service: its words, its patience, its errors in plain sentences."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from schemas.exports import Manifest
from schemas.states import GenerationState, Review
from service.cli import client as clients
from service.cli.refusals import ServiceAway, ServiceRefused
from tests.canned import ask, response, serving
from tests.web import samples

GENERATION = samples.partial()


async def test_answers_become_models() -> None:
    one = response("200 OK", GENERATION.model_dump_json())
    many = response("200 OK", json.dumps({"items": [json.loads(GENERATION.model_dump_json())], "next_cursor": None}))
    async with serving(one, many, one) as (service, url):
        assert await ask(url, lambda client: client.generation(GENERATION.id)) == GENERATION
        page = await ask(url, lambda client: client.generations(status=GenerationState.PARTIAL, limit=5))
        assert page.items == (GENERATION,)
        assert await ask(url + "/", lambda client: client.step(GENERATION.id, "cancel")) == GENERATION
    paths = [request.split(" ")[:2] for request in service.requests]
    assert paths == [
        ["GET", f"/api/generations/{GENERATION.id}"],
        ["GET", "/api/generations?limit=5&status=partial"],
        ["POST", f"/api/generations/{GENERATION.id}/cancel"],
    ]
    assert service.header(0, "accept") == "application/json"


@pytest.mark.parametrize(
    ("batch_ids", "model", "body"),
    [
        ([], None, {}),
        ([UUID(int=1)], "other", {"batch_ids": [str(UUID(int=1))], "model": "other"}),
    ],
)
async def test_a_retry_sends_only_what_was_chosen(
    batch_ids: list[UUID], model: str | None, body: dict[str, object]
) -> None:
    answer = {"generation": json.loads(GENERATION.model_dump_json()), "retried": [], "untouched": 2}
    async with serving(response("202 Accepted", json.dumps(answer))) as (service, url):
        found = await ask(url, lambda client: client.retry(GENERATION.id, batch_ids, model=model, dry_run=True))
    assert found.untouched == 2
    head, _, sent = service.requests[0].partition("\r\n\r\n")
    assert head.startswith(f"POST /api/generations/{GENERATION.id}/retry?dry_run=true ")
    assert json.loads(sent) == body


async def test_files_are_sent_under_their_names(tmp_path: Path) -> None:
    file = tmp_path / "leaves.md"
    file.write_bytes(b"Leaves")
    quiz = samples.quiz()
    async with serving(response("202 Accepted", quiz.model_dump_json())) as (service, url):
        assert await ask(url, lambda client: client.upload(title="Plants", language="de", files=[file])) == quiz
    [sent] = service.requests
    assert 'name="files"; filename="leaves.md"' in sent
    assert str(tmp_path) not in sent
    assert 'name="language"\r\n\r\nde' in sent


async def test_an_export_is_its_bytes() -> None:
    async with serving(response("200 OK", "id,question\r\n", "text/csv")) as (service, url):
        assert await ask(url, lambda client: client.export(UUID(int=1), "csv")) == b"id,question\r\n"
    assert service.requests[0].startswith(f"GET /api/quizzes/{UUID(int=1)}/export/csv ")


async def test_what_an_export_holds_is_asked_with_the_same_review() -> None:
    manifest = Manifest(
        quiz_id=UUID(int=1),
        format="gift",
        file_name="quiz.gift",
        review=Review.APPROVED,
        question_count=0,
        exported_count=0,
        left_out=(),
        omits=(),
    )
    async with serving(response("200 OK", manifest.model_dump_json())) as (service, url):
        told = await ask(url, lambda client: client.manifest(UUID(int=1), "gift", review=Review.APPROVED))
    assert told == manifest
    address = f"/api/quizzes/{UUID(int=1)}/export/gift/manifest?review=approved"
    assert service.requests[0].startswith(f"GET {address} ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (response("409 Conflict", '{"detail": "it is running"}'), "409: it is running"),
        (response("502 Bad Gateway", "<html>proxy</html>", "text/html"), "502: Bad Gateway"),
        (response("500 Internal Server Error", "[]"), "500: Internal Server Error"),
        (response("413 Content Too Large", "{}"), "413: "),
    ],
)
async def test_a_refusal_is_told_in_the_services_words(answer: str, said: str) -> None:
    async with serving(answer) as (_, url):
        with pytest.raises(ServiceRefused, match=said):
            await ask(url, lambda client: client.generation(GENERATION.id))


async def test_a_service_that_is_not_there_is_named() -> None:
    async with serving() as (_, url):
        pass
    with pytest.raises(ServiceAway, match=f"no Quizmill answers at {url}.*is `quizmill up` running"):
        await ask(url, lambda client: client.generation(GENERATION.id))


@pytest.mark.parametrize("between", ["", response("502 Bad Gateway", "<html>proxy</html>", "text/html")])
async def test_whoever_is_patient_reads_when_the_service_is_back(monkeypatch: pytest.MonkeyPatch, between: str) -> None:
    monkeypatch.setattr(clients, "LOOK_SECONDS", 0.01)
    there = response("200 OK", GENERATION.model_dump_json())
    async with serving(between, between, there) as (service, url):
        found = await ask(url, lambda client: client.generation(GENERATION.id), patience_seconds=20)
    assert found == GENERATION
    assert len(service.requests) == 3


async def test_patience_ends_and_writes_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "LOOK_SECONDS", 0.01)
    async with serving() as (_, url):
        pass
    with pytest.raises(ServiceAway):
        await ask(url, lambda client: client.generation(GENERATION.id), patience_seconds=0.05)
    async with serving("") as (service, url):
        with pytest.raises(ServiceAway):
            await ask(url, lambda client: client.step(GENERATION.id, "cancel"), patience_seconds=20)
    assert len(service.requests) == 1
