"""The text fields of a question's content: tidied as they come from a provider, and listed for the checks."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple, assert_never

from schemas.questions import (
    Content,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    ShortAnswer,
    TrueFalse,
    Vocabulary,
)
from service.rules.likeness import key_form

GAP = "____"
PASSAGE_CHARACTERS_MAX = 2000
OPTION_CHARACTERS_MAX = 500
ANSWER_CHARACTERS_MAX = 300
TAG_CHARACTERS_MAX = 60
TAGS_MAX = 10

# Models write gaps of any length, and escape the underscores where they think of Markdown.
_GAP = re.compile(r"(?:\\?[_\uff3f]){3,}")
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Field(NamedTuple):
    """One text of a question, with its name as a model knows it."""

    name: str
    text: str
    characters_max: int
    empty_code: str = "empty_text"


def tidied(content: Content) -> Content:  # noqa: C901, PLR0911 - one arm a question type
    """The same content in NFC without outer space, with gaps of four underscores and each accepted answer once."""
    match content:
        case MultipleChoice():
            return MultipleChoice(
                stem=tidied_text(content.stem), options=_tidied_texts(content.options), answer=content.answer
            )
        case MultipleResponse():
            return MultipleResponse(
                stem=tidied_text(content.stem),
                options=_tidied_texts(content.options),
                answers=tuple(sorted(set(content.answers))),
            )
        case TrueFalse():
            return TrueFalse(stem=tidied_text(content.stem), answer=content.answer)
        case FillInBlank():
            stem = _GAP.sub(GAP, tidied_text(content.stem))
            return FillInBlank(stem=stem, answers=_distinct(content.answers))
        case ShortAnswer():
            return ShortAnswer(stem=tidied_text(content.stem), answers=_distinct(content.answers))
        case Matching():
            return Matching(
                stem=tidied_text(content.stem),
                pairs=tuple(Pair(left=tidied_text(pair.left), right=tidied_text(pair.right)) for pair in content.pairs),
                extra_rights=_tidied_texts(content.extra_rights),
            )
        case Numeric():
            return content.model_copy(update={"stem": tidied_text(content.stem)})
        case Flashcard():
            return Flashcard(front=tidied_text(content.front), back=tidied_text(content.back))
        case Vocabulary():
            return Vocabulary(
                term=tidied_text(content.term),
                definition=tidied_text(content.definition),
                example=tidied_text(content.example),
            )
        case _:
            assert_never(content)


def fields_of(content: Content) -> Iterator[Field]:
    """Every text that must be there."""
    match content:
        case MultipleChoice() | MultipleResponse():
            yield Field("stem", content.stem, PASSAGE_CHARACTERS_MAX)
            yield from _options("option", content.options)
        case TrueFalse() | Numeric():
            yield Field("stem", content.stem, PASSAGE_CHARACTERS_MAX)
        case FillInBlank() | ShortAnswer():
            yield Field("stem", content.stem, PASSAGE_CHARACTERS_MAX)
            for answer in content.answers or ("",):
                yield Field("answer", answer, ANSWER_CHARACTERS_MAX)
        case Matching():
            yield Field("stem", content.stem, PASSAGE_CHARACTERS_MAX)
            yield from _options("left of pair", [pair.left for pair in content.pairs])
            yield from _options("right of pair", [pair.right for pair in content.pairs])
            yield from _options("extra right", content.extra_rights)
        case Flashcard():
            yield Field("front", content.front, PASSAGE_CHARACTERS_MAX)
            yield Field("back", content.back, PASSAGE_CHARACTERS_MAX)
        case Vocabulary():
            yield Field("term", content.term, ANSWER_CHARACTERS_MAX)
            yield Field("definition", content.definition, PASSAGE_CHARACTERS_MAX)
            yield Field("example", content.example, PASSAGE_CHARACTERS_MAX)
        case _:
            assert_never(content)


def wording_of(content: Content) -> str:
    """What asks. Answers, options and examples are left out: they may quote the language that a course teaches."""
    match content:
        case Flashcard():
            return f"{content.front}\n{content.back}"
        case Vocabulary():
            return content.definition
        case _:
            return content.stem


def _options(name: str, texts: Sequence[str]) -> Iterator[Field]:
    for number, text in enumerate(texts, start=1):
        yield Field(f"{name} number {number}", text, OPTION_CHARACTERS_MAX, "empty_option")


def tidied_text(text: str) -> str:
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", text)).strip()


def tidied_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags only help to find a question: those that can't be shown are left out, never a reason to reject."""
    lines = (" ".join(tidied_text(tag).split()) for tag in tags)
    fit = [line for line in lines if not is_blank(line) and is_storable(line) and len(line) <= TAG_CHARACTERS_MAX]
    return tuple(dict.fromkeys(fit))[:TAGS_MAX]


def is_blank(text: str) -> bool:
    """Nothing in it can be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def is_storable(text: str) -> bool:
    """Without control characters (line ends and tabs are fine) and lone surrogates."""
    return _UNSTORABLE.search(text) is None


def _tidied_texts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(tidied_text(text) for text in texts)


def _distinct(answers: Sequence[str]) -> tuple[str, ...]:
    first_of: dict[str, str] = {}
    for text in map(tidied_text, answers):
        first_of.setdefault(key_form(text), text)
    return tuple(first_of.values())
