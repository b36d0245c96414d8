"""Questions' texts as other programs want them: as HTML, on one line, without what XML can't hold."""

import html
import re
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final
from uuid import UUID

from schemas.questions import Content, Flashcard, Matching, Question, Vocabulary, figure_of, preview_of

NAME_CHARACTERS_MAX: Final = 80
GAP: Final = re.compile(r"_{4,}")

_EXACT: Final = Context(prec=700)
"""More digits than any two floats have from the first of the one to the last of the other."""

_DELETE: Final = 0x7F
_PICTURES: Final = 0x2400
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SPACE_THAT_HTML_FOLDS: Final = re.compile(r"(?:(?<=[ \n])|^) ")
_ENTITY: Final = re.compile(r"&(?=#?\w+;|&)")


def plain(text: str) -> str:
    """With \\n between lines; of characters that XML 1.0 can't write or Anki drops, their pictures (␁) instead."""
    return _UNWRITABLE.sub(_picture, text.replace("\r\n", "\n").replace("\r", "\n"))


def as_html(text: str) -> str:
    """The text as HTML that shows it as it is: its tags are no tags, its lines and indents stay."""
    escaped = html.escape(unfolded(text), quote=False)
    return escaped.replace("\xa0", "&nbsp;").replace("\n", "<br>")


def unfolded(text: str) -> str:
    """The text with spaces that HTML does not fold, where it has more than one."""
    return _SPACE_THAT_HTML_FOLDS.sub("\xa0", plain(text).replace("\t", "    "))


def as_filtered_line(text: str) -> str:
    """One line for a place where a reader drops tags and decodes entities, and shows other text as it is (Moodle)."""
    return _ENTITY.sub("&amp;", one_line(text)).replace("<", "&lt;")


def stem_of(content: Content) -> str:
    """What is asked, by every type but flashcards, which the formats for tests refuse."""
    assert not isinstance(content, Flashcard | Vocabulary), "a flashcard has no stem"
    return content.stem


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def alphabetical(text: str) -> tuple[str, str]:
    """Sorts texts as people do, and always the same way."""
    return text.casefold(), text


def name_of(content: Content) -> str:
    """What a question is called in a list of questions."""
    asked = content.stem if isinstance(content, Matching) else preview_of(content)
    line = one_line(asked)
    if len(line) <= NAME_CHARACTERS_MAX:
        return line
    return line[: NAME_CHARACTERS_MAX - 1].rstrip() + "…"


def feedback_of(question: Question) -> str:
    """Explanation and evidence as HTML, what both say once; empty when there is neither."""
    explanation, quote = question.explanation.strip(), quote_of(question)
    told = f"<p>{as_html(explanation)}</p>" if explanation else ""
    return told + (f"<blockquote>{as_html(quote)}</blockquote>" if quote else "")


def quote_of(question: Question) -> str:
    """The evidence, unless the explanation has it already."""
    quote = question.evidence.quote.strip()
    return "" if quote in question.explanation else quote


def digits_of(value: float) -> str:
    """A number without an exponent, which not every reader knows."""
    return f"{Decimal(figure_of(value)):f}"


def sum_of(value: float, other: float) -> str:
    """Added as they are written: 0.1 and 0.2 make 0.3."""
    return f"{_EXACT.add(Decimal(figure_of(value)), Decimal(figure_of(other))):f}"


def labels_of(question: Question) -> list[str]:
    """What a question can be filed under, each once: module, difficulty, cognitive level, tags."""
    labels = [question.module_name, question.difficulty or "", question.cognitive_level, *question.tags]
    return list(dict.fromkeys(filter(None, map(one_line, labels))))


def by_module(questions: Sequence[Question]) -> list[tuple[str, list[Question]]]:
    """The questions about each module, with its name, in the order in which the modules come first."""
    found: dict[UUID, list[Question]] = {}
    for question in questions:
        found.setdefault(question.module_id, []).append(question)
    return [(of_module[0].module_name, of_module) for of_module in found.values()]


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    return chr(_PICTURES + code) if code < ord(" ") else "\N{REPLACEMENT CHARACTER}"
