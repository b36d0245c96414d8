"""What an export format is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.questions import Question
from schemas.quizzes import Quiz


@dataclass(frozen=True)
class ExportFormat:
    """`write` gives the file's bytes, the same for the same questions."""

    suffix: str
    media_type: str
    write: Callable[[Quiz, Sequence[Question]], bytes]
