"""A client of a service: its words, its streams through lost connections, its errors in plain sentences."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest

from schemas.exports import Manifest
from schemas.states import GenerationState, Review
from service.cli import client as clients
from service.cli.client import Client, ServiceAway, ServiceRefused
from tests.web import samples

Outcome = TypeVar("Outcome")
GENERATION = samples.partial()
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
NO_MORE = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Service:
    """Answers each request with the next of its canned answers, and closes the connection."""

    def __init__(self, *canned: str) -> None:
        self.requests: list[str] = []
        self._canned = list(canned)

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[16:]) for line in head.split("\r\n") if line.lower().startswith("content-length: ")), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode(errors="replace"))
        writer.write(self._canned.pop(0).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def header(self, position: int, name: str) -> str | None:
        lines = self.requests[position].split("\r\n")
        return next((line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name}: ")), None)


@asynccontextmanager
async def serving(*canned: str) -> AsyncIterator[tuple[Service, str]]:
    service = Service(*canned)
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield service, f"http://127.0.0.1:{port}"


@contextmanager
def closing(url: str) -> Iterator[Client]:
    """A command ends with its process; a test closes its client."""
    client = Client(url)
    yield client
    client._http.close()


async def ask(url: str, work: Callable[[Client], Outcome]) -> Outcome:
    def asked() -> Outcome:
        with closing(url) as client:
            return work(client)

    return await asyncio.wait_for(asyncio.to_thread(asked), 20)


def response(status: str, body: str, media_type: str = "application/json") -> str:
    headers = f"Content-Type: {media_type}\r\nContent-Length: {len(body.encode())}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}"


def event(seq: int, kind: str = "batch.started") -> str:
    return f'event: {kind}\ndata: {{"seq":{seq}}}\nid: {seq}\n\n'


async def watch(url: str, *, from_start: bool = False) -> list[tuple[str, object]]:
    def watched(client: Client) -> list[tuple[str, object]]:
        return [(heard.type, heard.data.get("seq")) for heard in client.watch(GENERATION.id, from_start=from_start)]

    return await ask(url, watched)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    # A second between two connections is too long for a test.
    monkeypatch.setattr(clients, "RECONNECT_SECONDS", 0.01)


async def test_a_stream_is_heard_until_the_service_says_that_there_is_no_more() -> None:
    stream = HEAD + event(1) + "event: heartbeat\ndata: {}\n\n" + event(2, "generation.completed")
    async with serving(stream, NO_MORE) as (service, url):
        assert await watch(url) == [("batch.started", 1), ("generation.completed", 2)]
    assert service.requests[0].startswith(f"GET /api/generations/{GENERATION.id}/events ")
    assert service.header(0, "last-event-id") is None
    assert service.header(1, "last-event-id") == "2"


async def test_a_log_is_replayed_from_its_start_when_asked_for() -> None:
    async with serving(HEAD + event(1, "generation.failed"), NO_MORE) as (service, url):
        assert await watch(url, from_start=True) == [("generation.failed", 1)]
    assert service.header(0, "last-event-id") == "0"


async def test_a_stream_that_is_cut_goes_on_where_it_was() -> None:
    cut = HEAD + event(1) + event(2) + 'event: batch.started\ndata: {"se'
    rest = HEAD + event(3) + event(4, "generation.partial")
    async with serving(cut, "", rest, NO_MORE) as (service, url):
        heard = await watch(url)
    assert [seq for _, seq in heard] == [1, 2, 3, 4]
    assert [service.header(position, "last-event-id") for position in range(4)] == [None, "2", "2", "4"]


async def test_a_service_that_says_goodbye_is_come_back_to() -> None:
    leaving = HEAD + event(1) + "event: bye\nretry: 500\ndata: {}\n\n"
    async with serving(leaving, HEAD + event(2, "generation.cancelled"), NO_MORE) as (service, url):
        assert await watch(url) == [("batch.started", 1), ("generation.cancelled", 2)]
    assert service.header(1, "last-event-id") == "1"


async def test_an_answer_that_is_no_stream_is_asked_again() -> None:
    page = response("200 OK", "<p>starting</p>", "text/html")
    async with serving(page, HEAD + event(1, "generation.failed"), NO_MORE) as (_, url):
        assert await watch(url) == [("generation.failed", 1)]


async def test_a_stream_that_is_refused_says_why() -> None:
    refusal = response("404 Not Found", json.dumps({"detail": "there is no generation"}), "application/problem+json")
    async with serving(refusal) as (_, url):
        with pytest.raises(ServiceRefused, match="404: there is no generation"):
            await watch(url)


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
