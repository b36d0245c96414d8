"""GIFT, the text format that Moodle and others read: every question but flashcards, with the id in a comment.

The traps are from Moodle's reader (question/format/gift/format.php): a blank line ends a question, `->` in an accepted
answer makes it a matching question, a text in brackets or between percent signs at the start is a format or a weight,
and what the reader puts in place of escaped characters may stand in a text already.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from schemas.exports import Omission
from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Question,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from schemas.quizzes import Quiz
from service.exports import moodle_xml, texts

NO_CARDS: Final = "GIFT has no flashcards"
NO_ARROW: Final = "GIFT takes -> in an accepted answer for a matching question, and has no way to escape it"
NO_MARK: Final = "readers of GIFT take marks such as &&058; in an accepted answer for characters that were escaped"
MARK: Final = re.compile("&&(?:010|035|058|061|092|123|125|126)")
ESCAPES: Final = str.maketrans({character: f"\\{character}" for character in "\\:#={}~"})

OMITS: Final = (
    Omission(fields=("flaws", "quality", "review"), reason="they are for reviewers, and GIFT has no place for them"),
)


def obstacle(question: Question) -> str | None:
    match question.content:
        case Flashcard() | Vocabulary():
            return NO_CARDS
        case FillInBlank(answers=answers) | ShortAnswer(answers=answers):
            return _unsayable("\n".join(answers))
        case _:
            return None


def _unsayable(answers: str) -> str | None:
    if "->" in answers:
        return NO_ARROW
    return NO_MARK if MARK.search(answers) else None


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    """Each module is a category below that of the quiz."""
    blocks = []
    for module_name, of_module in texts.by_module(questions):
        category = moodle_xml.category(quiz.title, module_name).replace("\\", "\\\\")
        blocks += [f"$CATEGORY: {category}", *map(_question, of_module)]
    return "".join(f"{block}\n\n" for block in blocks).encode()


def _question(question: Question) -> str:
    content = question.content
    name = _escaped(texts.as_filtered_line(texts.name_of(content)))
    feedback = texts.feedback_of(question)
    lines = [
        _comment(question),
        f"::{name}::{_html(moodle_xml.asked(content))}{{{_kind(content)}",
        *(f"\t{line}" for line in _answers(content)),
        *([f"\t####[html]{_escaped(feedback)}"] if feedback else []),
        "}",
    ]
    return "\n".join(lines)


def _comment(question: Question) -> str:
    labels = (label.replace("[", "(").replace("]", ")") for label in texts.labels_of(question))
    return " ".join([f"// [id:{question.id}]", *(f"[tag:{label}]" for label in labels)])


def _kind(content: Content) -> str:
    """What stands right after the brace."""
    match content:
        case TrueFalse(answer=is_true):
            return "TRUE" if is_true else "FALSE"
        case Numeric():
            return f"#{texts.digits_of(content.answer)}:{texts.digits_of(content.tolerance)}"
        case _:
            return ""


def _answers(content: Content) -> Iterator[str]:  # noqa: C901 - one arm a question type
    match content:
        case MultipleChoice():
            for index, option in enumerate(content.options):
                yield f"{'=' if index == content.answer else '~'}{_html(option)}"
        case MultipleResponse():
            right, wrong = moodle_xml.weights(len(content.answers), len(content.options) - len(content.answers))
            for index, option in enumerate(content.options):
                yield f"~%{right if index in content.answers else wrong}%{_html(option)}"
        case FillInBlank() | ShortAnswer():
            yield from (f"={_accepted(answer)}" for answer in content.answers)
        case Matching():
            for pair in content.pairs:
                yield f"={_html(pair.left)} -> {_right(pair.right)}"
            yield from (f"= -> {_right(extra)}" for extra in content.extra_rights)
        case TrueFalse() | Numeric():
            return
        case Flashcard() | Vocabulary():
            raise AssertionError("flashcards have an obstacle")
        case _:
            assert_never(content)


def _html(text: str) -> str:
    # The format is named for every text, also where it would be inherited: so no text can name another one.
    return f"[html]{_escaped(texts.as_html(text))}"


def _accepted(answer: str) -> str:
    text = _escaped(moodle_xml.wildcards_escaped(answer))
    return f"[plain]{text}" if text.startswith(("[", "%")) else text


def _right(text: str) -> str:
    return _escaped(texts.as_filtered_line(text))


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
