"""Moodle's own XML: every question but flashcards, with feedback, tags and the id as idnumber.

What Moodle makes of it is read from its source: question/format/xml/format.php and question/type/*.
"""

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
from schemas.states import QuestionType
from service.exports import texts
from service.exports.markup import Element, document, element

NO_CARDS: Final = "Moodle's question bank has no flashcards"
CARDS: Final = frozenset({QuestionType.FLASHCARD, QuestionType.VOCABULARY})
GAP: Final = "_____"
"""Moodle puts the field to write in where at least five of these are."""

OMITS: Final = (
    Omission(fields=("flaws", "quality", "review"), reason="they are for reviewers, and Moodle has no place for them"),
)


def obstacle(question: Question) -> str | None:
    return NO_CARDS if question.question_type in CARDS else None


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    """Each module is a category below that of the quiz."""
    root = element("quiz")
    for module_name, of_module in texts.by_module(questions):
        root.append(_category(quiz.title, module_name))
        root.extend(map(_question, of_module))
    return document(root)


def category(*names: str) -> str:
    """The path of a category; a slash in a name is doubled."""
    return "/".join(["top", *(texts.as_filtered_line(name).replace("/", "//") for name in names)])


def asked(content: Content) -> str:
    stem = texts.stem_of(content)
    return texts.GAP.sub(GAP, stem) if isinstance(content, FillInBlank) else stem


def weights(right: int, wrong: int) -> tuple[str, str]:
    """Percent of a right and of a wrong option: all right ones are 100, all options together are 0."""
    return _percent(100 / right), _percent(-100 / wrong) if wrong else "0"


def wildcards_escaped(answer: str) -> str:
    """In an accepted answer * stands for anything."""
    return texts.one_line(answer).replace("*", "\\*")


def _percent(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _category(*names: str) -> Element:
    return element("question", element("category", _text(category(*names))), type="category")


def _question(question: Question) -> Element:
    content = question.content
    kind, parts = _parts(content)
    return element(
        "question",
        element("name", _text(texts.as_filtered_line(texts.name_of(content)))),
        _html("questiontext", asked(content)),
        element("generalfeedback", _text(texts.feedback_of(question)), format="html"),
        element("defaultgrade", text="1"),
        element("hidden", text="0"),
        element("idnumber", text=str(question.id)),
        *parts,
        element("tags", *(element("tag", _text(label)) for label in texts.labels_of(question))),
        type=kind,
    )


def _parts(content: Content) -> tuple[str, list[Element]]:
    """Moodle's name of the type, and what a question of that type has of its own."""
    match content:
        case MultipleChoice():
            return "multichoice", list(_options(content.options, {content.answer}, is_single=True))
        case MultipleResponse():
            return "multichoice", list(_options(content.options, set(content.answers), is_single=False))
        case TrueFalse(answer=is_true):
            return "truefalse", [_answer("true", is_right=is_true), _answer("false", is_right=not is_true)]
        case FillInBlank() | ShortAnswer():
            accepted = (_answer(wildcards_escaped(answer), is_right=True) for answer in content.answers)
            return "shortanswer", [element("usecase", text="0"), *accepted]
        case Matching():
            return "matching", list(_pairs(content))
        case Numeric():
            answer = _answer(texts.digits_of(content.answer), is_right=True)
            answer.append(element("tolerance", text=texts.digits_of(content.tolerance)))
            return "numerical", [answer]
        case Flashcard() | Vocabulary():
            raise AssertionError("flashcards have an obstacle")
        case _:
            assert_never(content)


def _options(options: Sequence[str], keys: set[int], *, is_single: bool) -> Iterator[Element]:
    yield element("single", text="true" if is_single else "false")
    yield element("shuffleanswers", text="false")
    yield element("answernumbering", text="abc")
    right, wrong = ("100", "0") if is_single else weights(len(keys), len(options) - len(keys))
    for index, option in enumerate(options):
        fraction = right if index in keys else wrong
        yield element("answer", _text(texts.as_html(option)), fraction=fraction, format="html")


def _answer(text: str, *, is_right: bool) -> Element:
    return element("answer", _text(text), fraction="100" if is_right else "0", format="moodle_auto_format")


def _pairs(content: Matching) -> Iterator[Element]:
    yield element("shuffleanswers", text="true")
    lefts = [(pair.left, pair.right) for pair in content.pairs] + [("", extra) for extra in content.extra_rights]
    for left, right in lefts:
        subquestion = _html("subquestion", left)
        subquestion.append(element("answer", _text(texts.as_filtered_line(right))))
        yield subquestion


def _html(name: str, text: str) -> Element:
    return element(name, _text(texts.as_html(text)), format="html")


def _text(text: str) -> Element:
    return element("text", text=texts.plain(text))
