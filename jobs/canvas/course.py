"""A course in Canvas and the few calls that publishing needs. Each blocks, and raises CanvasError."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from canvasapi.course import Course
from canvasapi.quiz import Quiz, QuizQuestion

from jobs.canvas.errors import CanvasError, CanvasMissing
from jobs.canvas.requester import BoundedRequester
from schemas.publications import CanvasQuestion

QUIZZES_MAX: Final = 10_000
QUESTIONS_MAX: Final = 20_000
MARKER: Final = "Quizmill is still adding questions here"


class Asked(NamedTuple):
    """A question that is in a quiz in Canvas."""

    id: int
    name: str


class CanvasCourse:
    def __init__(self, canvas_url: str, course_id: str, token: str) -> None:
        self._requester = BoundedRequester(canvas_url, token)
        self._course = Course(self._requester, {"id": course_id})

    def cut(self) -> None:
        """From another thread: stop the call that is under way."""
        self._requester.cut()

    def close(self) -> None:
        self._requester.close()

    def has(self, quiz_id: int) -> bool:
        with _understood():
            try:
                self._course.get_quiz(quiz_id)
            except CanvasMissing:
                return False
        return True

    def find(self, marker: UUID) -> int | None:
        """The unfinished quiz with that marker."""
        with _understood():
            return next((int(quiz.id) for quiz in self._marked(marker)), None)

    def remove_strays(self, marker: UUID, quiz_id: int) -> None:
        """Every other unfinished quiz with that marker: a call came late that somebody had given up."""
        with _understood():
            for quiz in [quiz for quiz in self._marked(marker) if int(quiz.id) != quiz_id]:
                quiz.delete()

    def create(self, title: str, marker: UUID) -> int:
        """An unpublished quiz that carries the marker; returns its id."""
        with _understood():
            made = self._course.create_quiz(
                {
                    "title": title,
                    "description": f"<p>{MARKER} ({marker}).</p>",
                    "quiz_type": "assignment",
                    "published": False,
                }
            )
            return int(made.id)

    def questions(self, quiz_id: int) -> list[Asked]:
        """Everything it asks, in Canvas' order."""
        with _understood():
            found = islice(self._quiz(quiz_id).get_questions(), QUESTIONS_MAX)
            return [Asked(int(question.id), str(question.question_name)) for question in found]

    def add(self, quiz_id: int, question: CanvasQuestion) -> None:
        fields = question.model_dump(exclude_none=True, exclude={"answers"})
        # Numbered, since a list would depend on which field Canvas takes for the first of an answer.
        fields["answers"] = {
            str(number): answer.model_dump(exclude_none=True) for number, answer in enumerate(question.answers)
        }
        with _understood():
            self._quiz(quiz_id).create_question(question=fields)

    def remove(self, quiz_id: int, question_id: int) -> None:
        """Also when it is gone already."""
        fields = {"id": question_id, "quiz_id": quiz_id, "course_id": self._course.id}
        try:
            QuizQuestion(self._requester, fields).delete()
        except CanvasMissing:
            return

    def publish(self, quiz_id: int) -> None:
        """Let students see it, without the marker. What changed in a quiz that is published shows only after this."""
        with _understood():
            self._quiz(quiz_id).edit(quiz={"description": "", "published": True, "notify_of_update": False})

    def _marked(self, marker: UUID) -> Iterator[Any]:
        for quiz in islice(self._course.get_quizzes(), QUIZZES_MAX):
            if str(marker) in str(getattr(quiz, "description", "")):
                yield quiz

    def _quiz(self, quiz_id: int) -> Any:
        return Quiz(self._requester, {"id": quiz_id, "course_id": self._course.id})


@contextmanager
def _understood() -> Iterator[None]:
    """canvasapi takes for granted that a server speaks Canvas' language."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CanvasError("what answers there does not speak Canvas' language: is the address right?") from None
