"""Text that any database can store, and bodies without surprises."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Body, FilledText, Frozen, Moment, Name, StorableText


class Note(Body):
    text: StorableText = ""
    title: FilledText = "x"
    name: Name = "x"
    count: int = 0


class Stamp(Frozen):
    at: Moment


def problem(body: str) -> str:
    with pytest.raises(ValidationError) as caught:
        Note.model_validate_json(body)
    return caught.value.errors()[0]["msg"]


def test_text_is_kept_in_one_normal_form() -> None:
    decomposed, composed = "Gro\u0308\u00dfe", "Gr\u00f6\u00dfe"
    assert Note(text=decomposed).text == composed
    assert Note(title=decomposed).title == composed


def test_the_nul_character_is_refused() -> None:
    assert problem('{"text": "a\\u0000b"}') == "Value error, must not contain the NUL character"


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ValidationError):
        Note(text="\ud800")
    with pytest.raises(ValidationError):
        Note.model_validate_json('{"text": "\\ud800"}')


@pytest.mark.parametrize("title", ["", " ", "\t\n", "\u00a0\u2003", "\u200b", "\ufeff \u202e"])
def test_what_nobody_sees_is_no_filled_text(title: str) -> None:
    for field in ("title", "name"):
        with pytest.raises(ValidationError, match="must not be empty"):
            Note.model_validate({field: title})
    assert Note(text=title).text is not None, "where text may be empty, space may be too"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  Plants \n and\ttrees\x1b ", "Plants and trees"),
        ("Plants\u202egpj.exe", "Plantsgpj.exe"),
        ("Gro\u0308\u00dfe", "Gr\u00f6\u00dfe"),
        ("\U0001f468\u200d\U0001f33e", "\U0001f468\u200d\U0001f33e"),
    ],
    ids=["control", "direction", "normal form", "joined"],
)
def test_a_name_is_one_line_that_reads_in_one_direction(name: str, expected: str) -> None:
    assert Note(name=name).name == expected


def test_space_around_a_text_is_kept() -> None:
    assert Note(title="  a  ").title == "  a  "


@given(st.text())
def test_whatever_is_accepted_can_be_stored(text: str) -> None:
    try:
        note = Note(text=text)
    except ValidationError:
        assert "\x00" in text
        return
    assert "\x00" not in note.text
    assert note.text.encode("utf-8").decode("utf-8") == note.text


@pytest.mark.parametrize("count", ['"5"', "5.0", "1.5", "true", "null"])
def test_a_number_of_a_body_is_a_number_and_nothing_like_it(count: str) -> None:
    assert problem(f'{{"count": {count}}}') == "Input should be a valid integer"


def test_an_unknown_field_of_a_body_is_refused() -> None:
    assert problem('{"color": "red"}') == "Extra inputs are not permitted"


def test_a_value_does_not_change() -> None:
    for value in (Note(), Stamp(at=datetime(2026, 1, 1, tzinfo=UTC))):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, next(iter(type(value).model_fields)), None)


def test_moments_are_written_in_rfc_3339_with_milliseconds() -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789_999, tzinfo=UTC)
    assert Stamp(at=moment).model_dump_json() == '{"at":"2026-02-03T04:05:06.789Z"}'
    elsewhere = moment.astimezone(timezone(timedelta(hours=2)))
    written = Stamp(at=elsewhere).model_dump_json()
    assert datetime.fromisoformat(written[7:-2]) == moment.replace(microsecond=789_000)
    assert Stamp(at=moment).model_dump() == {"at": moment}, "inside it stays a moment"
