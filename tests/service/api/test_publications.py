"""The request to publish: what it takes, what it refuses, and where the token is kept."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from schemas.states import QuestionType
from service.api.publications import address_of
from service.auth import LOCAL_OWNER
from service.errors import Invalid
from service.store import tables
from tests import published
from tests.service.exports.contents import CONTENTS
from tests.workbench import Workbench

TOKEN = "1234~secret"
BODY = {"canvas_url": "https://school.example", "course_id": 42, "token": TOKEN}


async def make_quiz(bench: Workbench, *types: QuestionType) -> UUID:
    wanted = list(types) or list(CONTENTS)
    quiz_id = await published.make_quiz(bench.database, *(CONTENTS[one] for one in wanted), types=wanted)
    async with bench.database.write() as tx:
        await tx.execute(sa.update(tables.quizzes).values(owner=LOCAL_OWNER))
    return quiz_id


async def publish(http: httpx.AsyncClient, quiz_id: UUID, **changes: Any) -> httpx.Response:
    return await http.post(f"/api/quizzes/{quiz_id}/publish", json={**BODY, **changes})


async def tokens(bench: Workbench) -> list[bytes]:
    return [key async for key in bench.redis.scan_iter("*token*")]


async def test_it_is_taken_and_the_quiz_says_where_it_stands(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench)
    answer = await publish(http, quiz_id)
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/quizzes/{quiz_id}")
    quiz = answer.json()
    assert (quiz["status"], quiz["failure_reason"]) == ("exporting_to_canvas", None)
    told = quiz["publication"]
    assert (told["canvas_url"], told["course_id"], told["status"]) == ("https://school.example", "42", "exporting")
    assert (told["question_count"], told["sent_count"], told["canvas_quiz_url"], told["error"]) == (7, 0, None, None)
    assert {one["reason"] for one in told["left_out"]} == {"Canvas quizzes have no cards to learn from"}
    assert len(await bench.queued()) == 1


async def test_the_token_is_in_redis_alone_and_for_an_hour(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench)
    answer = await publish(http, quiz_id)
    [key] = await tokens(bench)
    assert await bench.redis.get(key) == TOKEN.encode()
    assert 3590 < await bench.redis.ttl(key) <= 3600
    async with bench.database.read() as tx:
        [row] = (await tx.execute(sa.select(tables.publications))).all()
    assert TOKEN not in answer.text + str(row)
    [job] = [await bench.redis.get(name) async for name in bench.redis.scan_iter("arq:job:*")]
    assert TOKEN.encode() not in job


async def test_while_one_is_under_way_another_is_refused(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench, QuestionType.TRUE_FALSE)
    await publish(http, quiz_id)
    second = await publish(http, quiz_id)
    assert second.status_code == 409
    assert second.json()["detail"].endswith("is being published already: wait until that has ended")
    assert len(await tokens(bench)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"canvas_url": "http://school.example"}, "canvas_url"),
        ({"canvas_url": "https://10.0.0.1"}, "canvas_url"),
        ({"canvas_url": ""}, "canvas_url"),
        ({"course_id": "../7"}, "course_id"),
        ({"course_id": 0}, "course_id"),
        ({"course_id": True}, "course_id"),
        ({"course_id": 4.2}, "course_id"),
        ({"token": "two words"}, "token"),
        ({"token": "schlüssel"}, "token"),
        ({"token": ""}, "token"),
        ({"review": "liked"}, "review"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_wrong_is_named_without_the_token(
    http: httpx.AsyncClient, bench: Workbench, changes: dict[str, Any], field: str
) -> None:
    quiz_id = await make_quiz(bench, QuestionType.TRUE_FALSE)
    refused = await publish(http, quiz_id, **changes)
    assert refused.status_code == 422
    assert [problem["field"] for problem in refused.json()["errors"]] == [field]
    assert str(changes.get("token") or TOKEN) not in refused.text
    assert await tokens(bench) == []


async def test_what_has_nothing_to_publish_is_refused(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench, QuestionType.FLASHCARD)
    refused = await publish(http, quiz_id)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "none of the 1 questions can be asked in Canvas: Canvas quizzes have no cards to learn from",
    )
    none = await publish(http, quiz_id, review="approved")
    assert (none.status_code, none.json()["detail"]) == (409, f"quiz {quiz_id} has no questions to publish")
    assert (await publish(http, UUID(int=1))).status_code == 404
    assert await tokens(bench) == []


async def test_without_redis_it_is_not_taken(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench, QuestionType.TRUE_FALSE)
    bench.redis_server.connected = False
    refused = await publish(http, quiz_id)
    bench.redis_server.connected = True
    assert (refused.status_code, "Redis is away" in refused.json()["detail"]) == (503, True)
    assert (await http.get(f"/api/quizzes/{quiz_id}")).json()["publication"] is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://school.instructure.com", "https://school.instructure.com"),
        (" https://School.Instructure.com/ ", "https://school.instructure.com"),
        ("https://canvas.example:8443", "https://canvas.example:8443"),
        ("http://127.0.0.1:9998", "http://127.0.0.1:9998"),
        ("http://localhost:9998/", "http://localhost:9998"),
        ("https://[::1]:9", "https://[::1]:9"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]"),
    ],
)
def test_an_address_is_where_a_canvas_may_be(text: str, address: str) -> None:
    assert address_of(text, serves_loopback=True) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("school.instructure.com", "must be an address such as"),
        ("ftp://school.example", "must be an address such as"),
        ("https://", "must be an address such as"),
        ("https://schöle.example", "must be an address such as"),
        ("https://school.example:port", "is no address"),
        ("https://[::1", "is no address"),
        ("https://user:password@school.example", "must not hold a user name or a password"),
        ("https://@school.example", "must not hold a user name or a password"),
        ("https://school.example/courses/7", "must end after the host name: https://school.example"),
        ("https://school.example?x=1", "must end after the host name"),
        ("http://school.example", "must begin with https://"),
        ("http://10.0.0.1", "must begin with https://"),
        ("https://192.168.1.5", "must not be a private address"),
        ("https://169.254.169.254", "must not be a private address"),
        ("https://[fd00::1]", "must not be a private address"),
        ("https://0.0.0.0", "must not be a private address"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        address_of(text, serves_loopback=True)
    assert "password@" not in str(refused.value)


@pytest.mark.parametrize("text", ["http://127.0.0.1:9998", "https://localhost", "https://[::1]"])
def test_only_a_service_of_this_machine_alone_asks_this_machine(text: str) -> None:
    with pytest.raises(Invalid, match="must not be this machine's own address"):
        address_of(text, serves_loopback=False)


async def test_the_form_of_the_page_does_the_same(http: httpx.AsyncClient, bench: Workbench) -> None:
    quiz_id = await make_quiz(bench, QuestionType.TRUE_FALSE)
    path, form = f"/quizzes/{quiz_id}/publish", {**BODY, "course_id": "42"}
    refused = await http.post(path, data={**form, "course_id": "biology"})
    assert refused.status_code == 422
    assert "must be the number after /courses/ in the course" in refused.text
    assert TOKEN not in refused.text
    taken = await http.post(path, data=form)
    assert (taken.status_code, taken.headers["location"]) == (303, f"/quizzes/{quiz_id}#canvas")
    assert (await http.get(f"/api/quizzes/{quiz_id}")).json()["status"] == "exporting_to_canvas"
    again = await http.post(path, data=form, headers={"Accept": "text/html"})
    assert again.status_code == 409
    assert "is being published already" in again.text
