"""Reads a text as the offline generator does."""

from collections.abc import Iterator

from jobs.offline.analysis import Analysis, analyse
from jobs.offline.english import ENGLISH
from jobs.offline.generator import Wish, drafts
from jobs.offline.languages import Language
from schemas.questions import Draft
from schemas.states import QuestionType


def never() -> bool:
    return False


def analysed(text: str, language: Language = ENGLISH) -> Analysis:
    return analyse(text, language, never)


def drafted(text: str, question_type: QuestionType, language: Language = ENGLISH) -> list[Draft]:
    return list(drafts(analysed(text, language), Wish(question_type), never))


def sentences(text: str, language: Language = ENGLISH) -> Iterator[str]:
    return (statement.text for statement in analysed(text, language).statements)
