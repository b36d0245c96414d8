"""Cursors give back what went in, and refuse what nobody gave."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadRequest
from service.store import cursors

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(min_value=0, max_value=2**52).map(lambda number: EPOCH + timedelta(microseconds=number))


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(moments, st.uuids())
def test_a_cursor_gives_back_the_very_moment_and_id(at: datetime, row_id: UUID) -> None:
    assert cursors.decode(cursors.encode(at, row_id)) == (at, row_id)


@given(st.lists(st.integers(min_value=0, max_value=2**31 - 1), min_size=1, max_size=4))
def test_a_cursor_gives_back_its_places(places: list[int]) -> None:
    assert cursors.decode_places(cursors.encode_places(*places), len(places)) == places


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "???",
        "%00",
        "ä",
        " ",
        packed("nothing"),
        packed("1.5|not-an-id"),
        packed("nan|" + str(UUID(int=1))),
        packed("inf|" + str(UUID(int=1))),
        packed("1e300|" + str(UUID(int=1))),
        packed("-1e300|" + str(UUID(int=1))),
        packed("|"),
        "_w",
        packed("1.5|" + str(UUID(int=1))) + "\n",
        "A" * 100_000,
    ],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor is not one that this list gave"):
        cursors.decode(cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        packed("1"),
        packed("1|2|3"),
        packed("1|-2"),
        packed("1|"),
        packed("1|²"),
        packed("1|1e5"),
        packed("1|" + "9" * 18),
    ],
)
def test_a_forged_cursor_of_places_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor is not one that this list gave"):
        cursors.decode_places(cursor, 2)


@given(st.text(max_size=60))
def test_no_text_at_all_gets_past_a_cursor_except_as_a_refusal(text: str) -> None:
    for decode in (cursors.decode, lambda cursor: cursors.decode_places(cursor, 2)):
        for cursor in (text, packed(text.encode("utf-8", "ignore").decode())):
            try:
                decode(cursor)
            except BadRequest:
                continue
