"""How Canvas is asked: only public addresses, never redirected, bounded, and with the token for nobody else."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from jobs.canvas import requester
from jobs.canvas.course import CanvasCourse
from jobs.canvas.errors import CanvasBusy, CanvasError, CanvasMissing
from jobs.canvas.line import Line
from jobs.canvas.requester import BoundedRequester
from tests.canvas_api import TOKEN, CanvasApi, Fault
from tests.published import COURSE


@pytest.fixture
async def canvas() -> AsyncIterator[CanvasApi]:
    async with CanvasApi() as canvas:
        yield canvas


@pytest.fixture
async def course(canvas: CanvasApi) -> AsyncIterator[CanvasCourse]:
    course = CanvasCourse(canvas.url, str(COURSE), TOKEN)
    yield course
    course.close()


async def test_every_page_of_a_list_is_read(canvas: CanvasApi, course: CanvasCourse) -> None:
    quiz = canvas.put(COURSE, "Plants")
    for number in range(10):
        canvas.put_question(quiz, question_name=f"Question {number}")
    found = await asyncio.to_thread(course.questions, quiz.id)
    assert [asked.name for asked in found] == [f"Question {number}" for number in range(10)]
    assert len(canvas.calls) == 4
    assert {call.token for call in canvas.calls} == {TOKEN}


async def test_a_list_that_goes_on_elsewhere_is_not_followed(canvas: CanvasApi) -> None:
    async with CanvasApi() as other:
        quiz = canvas.put(COURSE, "Plants")
        for _ in range(4):
            canvas.put_question(quiz)
        canvas.told_url = other.url
        course = CanvasCourse(canvas.url, str(COURSE), TOKEN)
        with pytest.raises(CanvasError, match="does not speak Canvas' language"):
            await asyncio.to_thread(course.questions, quiz.id)
        course.close()
        assert other.calls == []


async def test_a_redirect_is_not_followed(canvas: CanvasApi, course: CanvasCourse) -> None:
    canvas.fail(Fault.MOVED, "GET")
    with pytest.raises(CanvasError, match="sends to another address"):
        await asyncio.to_thread(course.has, 1)
    assert len(canvas.calls) == 1


async def test_a_name_that_leads_to_a_private_address_is_not_asked(canvas: CanvasApi) -> None:
    """Known by the address alone: this is another way to write 127.0.0.1."""
    course = CanvasCourse(canvas.url.replace("127.0.0.1", "127.1"), str(COURSE), TOKEN)
    with pytest.raises(CanvasError, match=r"127\.1 is a private address: only public ones are asked"):
        await asyncio.to_thread(course.has, 1)
    course.close()
    assert canvas.calls == []


@pytest.mark.parametrize(
    ("host", "address", "may"),
    [
        ("school.example", "93.184.215.14", True),
        ("school.example", "2606:4700::1111", True),
        ("school.example", "10.0.0.1", False),
        ("school.example", "127.0.0.1", False),
        ("school.example", "169.254.169.254", False),
        ("school.example", "::1", False),
        ("school.example", "fe80::1%eth0", False),
        ("school.example", "::ffff:10.0.0.1", False),
        ("school.example", "::ffff:93.184.215.14", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "10.0.0.1", False),
    ],
)
def test_which_addresses_a_host_may_have(host: str, address: str, may: bool) -> None:
    assert Line(host)._may_be_asked(address) is may


async def test_a_netrc_file_does_not_replace_the_token(
    canvas: CanvasApi, course: CanvasCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setitem(os.environ, "NETRC", str(netrc))
    assert not await asyncio.to_thread(course.has, 1)
    assert [call.token for call in canvas.calls] == [TOKEN]


async def test_an_answer_without_end_is_refused(
    canvas: CanvasApi, course: CanvasCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requester, "ANSWER_BYTES_MAX", 1000)  # sixteen megabytes take too long
    canvas.put(COURSE, "x" * 2000)
    with pytest.raises(CanvasError, match="the answer of Canvas is too large"):
        await asyncio.to_thread(course.find, uuid4())


async def test_a_call_can_be_cut_from_outside(canvas: CanvasApi, course: CanvasCourse) -> None:
    canvas.fail(Fault.STALLED, "GET")
    arrived = asyncio.Event()

    async def hear(_: object) -> None:
        arrived.set()

    canvas.before = hear
    calling = asyncio.create_task(asyncio.to_thread(course.has, 1))
    await arrived.wait()
    course.cut()
    with pytest.raises(CanvasBusy, match="can't be reached"):
        await calling
    with pytest.raises(CanvasBusy, match="the call was stopped"):
        await asyncio.to_thread(course.has, 1)


async def test_a_question_that_is_gone_already_is_removed(canvas: CanvasApi, course: CanvasCourse) -> None:
    quiz = canvas.put(COURSE, "Plants")
    await asyncio.to_thread(course.remove, quiz.id, 77)
    canvas.fail(Fault.MISSING, "DELETE", "/77")
    await asyncio.to_thread(course.remove, quiz.id, 77)
    canvas.fail(Fault.FORBIDDEN, "DELETE", "/78")
    with pytest.raises(CanvasError):
        await asyncio.to_thread(course.remove, quiz.id, 78)


async def test_a_course_that_is_unknown_is_said(canvas: CanvasApi) -> None:
    course = CanvasCourse(canvas.url, "777", TOKEN)
    with pytest.raises(CanvasMissing, match="there is no such course in Canvas"):
        await asyncio.to_thread(course.questions, 1)
    course.close()


async def test_a_wait_that_canvas_asks_for_is_told(canvas: CanvasApi, course: CanvasCourse) -> None:
    canvas.fail(Fault.TOO_MANY, "GET")
    with pytest.raises(CanvasBusy) as busy:
        await asyncio.to_thread(course.has, 1)
    assert busy.value.retry_after_seconds == 1


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted() -> None:
    """Here: none at all, since the server speaks no TLS."""
    async with CanvasApi() as plain:
        course = CanvasCourse(plain.url.replace("http://", "https://"), str(COURSE), TOKEN)
        with pytest.raises(CanvasError, match="its certificate is not accepted"):
            await asyncio.to_thread(course.has, 1)
        course.close()


def test_no_part_of_the_token_is_told_wherever_canvas_repeats_it() -> None:
    asking = BoundedRequester("https://school.example", TOKEN)
    answer = requests.Response()
    answer.status_code = 403
    answer.headers["Content-Type"] = "text/plain; charset=punycode"
    answer._content = ("x" * (requester.WORDS_MAX - 5) + TOKEN).encode()
    with pytest.raises(CanvasError) as refused:
        asking._require_success(answer)
    asking.close()
    assert TOKEN[:4] not in str(refused.value)
    assert "xxx" in str(refused.value)
