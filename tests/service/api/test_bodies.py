"""What clients send: read strictly, refused with the field's name."""

from typing import Annotated

import pytest
from pydantic import Field
from starlette.requests import Request

from schemas.base import Body, FilledText
from schemas.orders import QuizOrder
from schemas.states import Review
from service.api import bodies
from service.errors import BadRequest, Invalid, UnsupportedMedia


class Inner(Body):
    text: FilledText


class Wanted(Body):
    count: Annotated[int, Field(ge=1)] = 1
    parts: list[Inner] = Field(default_factory=list)


def request(query: str = "", *, body: bytes = b"", content_type: str | None = "application/json") -> Request:
    headers = [(b"content-type", content_type.encode())] if content_type is not None else []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": query.encode(), "headers": headers}
    return Request(scope, receive)


def fields(error: Invalid) -> list[str]:
    return [problem.field for problem in error.problems]


async def test_a_body_is_read_into_its_model() -> None:
    assert await bodies.parse(request(body=b'{"count": 3}'), Wanted) == Wanted(count=3)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_a_media_type_may_have_parameters_and_any_case(content_type: str) -> None:
    assert await bodies.parse(request(body=b"{}", content_type=content_type), Wanted) == Wanted()


@pytest.mark.parametrize(
    ("content_type", "said"),
    [("text/plain", "not text/plain"), (None, "not a body without content type"), ("text/json", "not text/json")],
)
async def test_another_media_type_is_refused_by_name(content_type: str | None, said: str) -> None:
    with pytest.raises(UnsupportedMedia, match=said):
        await bodies.parse(request(body=b"{}", content_type=content_type), Wanted)


async def test_no_body_means_all_defaults_where_that_is_allowed() -> None:
    assert await bodies.parse_optional(request(content_type=None), Wanted) == Wanted()
    assert await bodies.parse_optional(request(body=b'{"count": 2}'), Wanted) == Wanted(count=2)
    with pytest.raises(UnsupportedMedia):
        await bodies.parse_optional(request(body=b"{}", content_type="text/plain"), Wanted)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'count': 1}",
        b'{"count": 1,}',
        b'{"count": 1} x',
        b"\xef\xbb\xbf{}",
        '{"count": 1}'.encode("utf-16"),
        b'{"parts": "\xff"}',
        b'{"count": 1, "count": 2}',
        b'{"parts": [{"text": "a", "text": "b"}]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_plain_json_can_not_be_read(body: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.validate(body, Wanted)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"9" * 100_000, b"-" + b"9" * 31])
def test_a_number_that_is_none_is_invalid(number: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        bodies.validate(b'{"count": ' + number + b"}", Wanted)
    assert fields(refused.value) == ["body"]
    assert len(str(refused.value)) < 200, "the number is not echoed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"count": 0}', "count"),
        (b'{"count": "1"}', "count"),
        (b'{"count": true}', "count"),
        (b'{"count": 1.5}', "count"),
        (b'{"count": 1e400}', "count"),
        (b'{"count": null}', "count"),
        (b'{"other": 1}', "other"),
        (b'{"parts": [{"text": "a"}, {"text": " "}]}', "parts.1.text"),
        (b'{"parts": [{"text": "a\\u0000b"}]}', "parts.0.text"),
        (b'{"parts": [{"text": "a\\ud800b"}]}', "body"),
        (b'{"parts": {"0": {"text": "a"}}}', "parts"),
    ],
)
def test_what_is_not_the_model_is_invalid_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        bodies.validate(body, Wanted)
    assert fields(refused.value)[0].startswith(field)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        bodies.validate(b'{"count": 0, "parts": [{"text": ""}], "other": 1}', Wanted)
    assert sorted(fields(refused.value)) == ["count", "other", "parts.0.text"]


def test_a_problem_says_what_is_wrong_in_plain_words_without_repeating_the_input() -> None:
    with pytest.raises(Invalid) as refused:
        bodies.validate(b'{"parts": [{"text": "secret\\u0000"}]}', Wanted)
    [problem] = refused.value.problems
    assert problem.message == "must not contain the NUL character"
    assert "secret" not in str(refused.value)


def test_text_is_stored_in_one_unicode_form() -> None:
    order = bodies.validate(
        '{"title": "Cafe\u0301", "modules": [{"name": "a", "text": "b", "batches": [{"question_type": "flashcard",'
        ' "target_count": 1}]}]}'.encode(),
        QuizOrder,
    )
    assert order.title == "Caf\u00e9"


@pytest.mark.parametrize(("query", "wanted"), [("", 20), ("limit=1", 1), ("limit=100", 100), ("limit=101", 100)])
def test_a_limit_has_a_default_and_an_end(query: str, wanted: int) -> None:
    assert bodies.limit(request(query)) == wanted


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "abc", "", "%C2%B2", "%D9%A3", "+1", " 1", "1_0"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="limit must be a number from 1 to 100"):
        bodies.limit(request(f"limit={text}"))


def test_a_limit_of_any_length_is_read_quickly() -> None:
    assert bodies.limit(request("limit=" + "9" * 10_000)) == 100


def test_a_choice_is_one_of_a_list_or_absent() -> None:
    assert bodies.choice(request("review=approved"), "review", Review) is Review.APPROVED
    assert bodies.choice(request(), "review", Review) is None
    with pytest.raises(Invalid, match="review: must be one of unreviewed, approved, rejected"):
        bodies.choice(request("review=good"), "review", Review)
    with pytest.raises(Invalid):
        bodies.choice(request("review="), "review", Review)


def test_a_flag_is_true_or_false_or_absent() -> None:
    assert bodies.flag(request("dry_run=true"), "dry_run") is True
    assert bodies.flag(request("dry_run=false"), "dry_run") is False
    assert bodies.flag(request(), "dry_run") is None
    for text in ("1", "True", "yes", ""):
        with pytest.raises(Invalid, match="dry_run: must be true or false"):
            bodies.flag(request(f"dry_run={text}"), "dry_run")
