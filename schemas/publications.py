"""A quiz on its way into a course in Canvas: the order, where it stands, and what its worker needs."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, SecretStr

from schemas.base import Body, Frozen, Moment
from schemas.states import PublicationState, Review


def _number(given: object) -> str:
    """Programs have it as a number, forms as a text."""
    text = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text):
        raise ValueError("must be the number after /courses/ in the course's address")
    return text


CanvasId = Annotated[str, BeforeValidator(_number)]


class PublishOrder(Body):
    """`review`: only questions in that state; none = the approved ones if there are any, else all but rejected ones."""

    canvas_url: Annotated[str, Field(min_length=1, max_length=500)]
    course_id: CanvasId
    token: Annotated[SecretStr, Field(min_length=1, max_length=1000)]
    review: Review | None = None


class LeftOut(Frozen):
    """A question that Canvas can't ask, and why."""

    question_id: UUID
    reason: str


class Publication(Frozen):
    """As users see it. `question_count` is to be sent, `sent_count` is there; `error` says why it failed."""

    id: UUID
    status: PublicationState
    canvas_url: str
    course_id: str
    canvas_quiz_url: str | None
    question_count: int
    sent_count: int
    left_out: tuple[LeftOut, ...]
    error: str | None
    requested_at: Moment
    ended_at: Moment | None


class NewPublication(Frozen):
    """What is decided when it is ordered. `saved_count`: how many questions the quiz had then."""

    id: UUID
    quiz_id: UUID
    canvas_url: str
    course_id: str
    question_ids: tuple[UUID, ...]
    left_out: tuple[LeftOut, ...]
    saved_count: int


class WantedPublication(Frozen):
    """One that must be in the queue."""

    publication_id: UUID
    fence: int


class PublicationClaim(Frozen):
    """One in the hands of a worker. `fence` goes into every write about it.

    `marker` finds its quiz in Canvas where `canvas_quiz_id` is not known: publications that go on with each other's
    work share both.
    """

    publication_id: UUID
    fence: int
    tries: int
    quiz_id: UUID
    title: str
    canvas_url: str
    course_id: str
    marker: UUID
    canvas_quiz_id: int | None
    question_ids: tuple[UUID, ...]


class CanvasAnswer(Frozen):
    """One answer of a question in the words of Canvas; what does not belong to its type is left out."""

    answer_text: str | None = None
    answer_weight: int | None = None
    answer_match_left: str | None = None
    answer_match_right: str | None = None
    numerical_answer_type: str | None = None
    answer_exact: str | None = None
    answer_error_margin: str | None = None


class CanvasQuestion(Frozen):
    """A question as the classic quizzes of Canvas take it. `question_text` is HTML, every other text is plain."""

    question_name: str
    question_text: str
    question_type: str
    points_possible: int = 1
    neutral_comments: str
    answers: tuple[CanvasAnswer, ...]
    matching_answer_incorrect_matches: str | None = None
