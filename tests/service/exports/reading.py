"""What a program that imports questions must read of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import assert_never

from schemas.questions import (
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

CHOICE, RESPONSES, TRUTH, SHORT, MATCHING, NUMBER = "choice", "responses", "truth", "short", "matching", "number"


@dataclass(frozen=True)
class Read:
    """A question of a test as a program has read it."""

    kind: str
    asked: str
    options: tuple[str, ...] = ()
    keys: frozenset[int] = frozenset()
    answers: tuple[str, ...] = ()
    pairs: frozenset[tuple[str, str]] = frozenset()
    extra_rights: frozenset[str] = frozenset()
    number: tuple[float, float] = (0, 0)
    feedback: str = ""


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(html: str, *, allowed: Sequence[str] = ("br",)) -> str:
    """What a browser shows of HTML in which only those tags may be."""
    found = _Shown()
    found.feed(html)
    found.close()
    assert found.tags <= set(allowed), html
    return found.text.replace("\xa0", " ")


def written(text: str) -> str:
    """A text as it can be shown: lines by \\n, pictures of control characters, four spaces for a tab."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").replace("\xa0", " ")
    pictures = "".join(chr(0x2400 + ord(one)) if ord(one) < 32 and one != "\n" else one for one in lines)
    return re.sub("[\ufffe\uffff]", "\ufffd", pictures.replace("\x7f", "␡"))


def line(text: str) -> str:
    return " ".join(written(text).split())


def asked_as_read(text: str) -> str:
    """How wide a gap is, each format decides."""
    return re.sub("_{4,}", "____", written(text)).strip()


def feedback_parts(question: Question) -> tuple[str, str]:
    """Explanation and passage, which is not told again where the explanation has it."""
    quote = "" if question.evidence.quote.strip() in question.explanation else question.evidence.quote
    return written(question.explanation.strip()), written(quote.strip())


def expected(question: Question) -> Read:
    """What a program for tests must read."""
    content, feedback = question.content, "|".join(feedback_parts(question))
    match content:
        case MultipleChoice(stem=stem, options=options, answer=key):
            texts = tuple(written(option).strip() for option in options)
            return Read(CHOICE, asked_as_read(stem), options=texts, keys=frozenset({key}), feedback=feedback)
        case MultipleResponse(stem=stem, options=options, answers=keys):
            texts = tuple(written(option).strip() for option in options)
            return Read(RESPONSES, asked_as_read(stem), options=texts, keys=frozenset(keys), feedback=feedback)
        case TrueFalse(stem=stem, answer=is_true):
            return Read(TRUTH, asked_as_read(stem), keys=frozenset({0 if is_true else 1}), feedback=feedback)
        case FillInBlank(stem=stem, answers=answers) | ShortAnswer(stem=stem, answers=answers):
            return Read(SHORT, asked_as_read(stem), answers=tuple(map(line, answers)), feedback=feedback)
        case Matching(stem=stem, pairs=pairs, extra_rights=extra):
            return Read(
                MATCHING,
                asked_as_read(stem),
                pairs=frozenset((written(pair.left).strip(), line(pair.right)) for pair in pairs),
                extra_rights=frozenset(map(line, extra)),
                feedback=feedback,
            )
        case Numeric(stem=stem, answer=answer, tolerance=tolerance):
            return Read(NUMBER, asked_as_read(stem), number=(answer, tolerance), feedback=feedback)
        case Flashcard() | Vocabulary():
            raise AssertionError("programs for tests have no flashcards")
        case _:
            assert_never(content)


def told(html: str) -> str:
    """The explanation and the quote, with a bar between."""
    found = re.fullmatch(r"(?:<p>(.*?)</p>)?(?:<blockquote>(.*?)</blockquote>)?", html)
    assert found, html
    return f"{shown(found[1] or '')}|{shown(found[2] or '')}"


def matching(asked: str, rows: Sequence[tuple[str, str]], feedback: str) -> Read:
    """A row without a left is a right that belongs to none."""
    return Read(
        MATCHING,
        asked,
        pairs=frozenset((left, right) for left, right in rows if left),
        extra_rights=frozenset(right for left, right in rows if not left),
        feedback=feedback,
    )


def without_wildcards(answer: str) -> str:
    """What Moodle compares with: an unescaped * would stand for anything."""
    assert not re.search(r"(?<!\\)\*", answer), answer
    return answer.replace("\\*", "*")


def filtered(text: str) -> str:
    """What Moodle's format_string shows: tags are dropped, entities decoded."""
    return shown(re.sub(r"</?[a-zA-Z!?][^>]*>", "", text), allowed=())
