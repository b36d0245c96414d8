"""What an export format is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.exports import LeftOut, Omission
from schemas.questions import Question, preview_of
from schemas.quizzes import Quiz


class Selection(NamedTuple):
    """What of a quiz's questions a format can express, and what it can't."""

    kept: tuple[Question, ...]
    left_out: tuple[LeftOut, ...]


def expresses_all(_question: Question) -> None:
    """The `obstacle` of a format that can say everything."""
    return


@dataclass(frozen=True)
class ExportFormat:
    """`obstacle`: why it can't express a question; None: it can. `write`: the file's bytes, for those that it can.

    The same questions give the same bytes.
    """

    suffix: str
    media_type: str
    write: Callable[[Quiz, Sequence[Question]], bytes]
    obstacle: Callable[[Question], str | None] = expresses_all
    omits: tuple[Omission, ...] = ()

    def file_name(self, quiz: Quiz) -> str:
        return f"quiz-{quiz.code}.{self.suffix}"

    def select(self, questions: Sequence[Question]) -> Selection:
        kept, left_out = [], []
        for question in questions:
            reason = self.obstacle(question)
            if reason is None:
                kept.append(question)
            else:
                left_out.append(
                    LeftOut(
                        id=question.id,
                        question_type=question.question_type,
                        preview=preview_of(question.content),
                        reason=reason,
                    )
                )
        return Selection(tuple(kept), tuple(left_out))
