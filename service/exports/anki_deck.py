"""A deck for Anki: a note a question, of every type. Importing it again updates the notes that changed.

Anki knows a note by its guid, which is the question's id, and takes over what is newer: a note is as old as its
question, and a second younger with every edit.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, assert_never

import genanki

from schemas.exports import Omission
from schemas.languages import truth_in
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
    figure_of,
)
from schemas.quizzes import Quiz
from service.exports import texts
from service.exports.packages import zipped

CARD_MODEL: Final = 1_764_320_001
CLOZE_MODEL: Final = 1_764_320_002
"""The same for ever: by them Anki knows the kinds of notes again."""

FIELDS: Final = ("Question", "Answer", "Explanation", "Source", "Module", "Id")
OMITS: Final = (
    Omission(fields=("flaws", "quality", "review"), reason="they are for reviewers, and Anki is for learners"),
)
MEANT_BY_ANKI: Final = str.maketrans({"{": "&#123;", "}": "&#125;", "[": "&#91;", ":": "&#58;"})
"""Braces are gaps and brackets sounds to it, also where a text only shows them."""

_BACK: Final = """
{{#Explanation}}<div class="explanation" dir="auto">{{Explanation}}</div>{{/Explanation}}
{{#Source}}<blockquote dir="auto">{{Source}}</blockquote>{{/Source}}
<footer dir="auto">{{Module}}</footer>"""
_STYLE: Final = """
.card { max-width: 40rem; margin: 1.5rem auto; font: 1.25rem/1.5 system-ui, sans-serif; }
ol, ul, table { margin: 1rem 0; text-align: start; }
td { padding: 0 1.5rem 0.25rem 0; vertical-align: top; }
.answer { font-weight: 600; }
.cloze { font-weight: 600; color: #8a5200; }
.nightMode .cloze { color: #e9ae45; }
.explanation, blockquote, .also { margin: 1rem 0; }
blockquote { padding-inline-start: 1rem; border-inline-start: 0.2rem solid #c9a15a; }
footer { font-size: 0.8rem; opacity: 0.7; }
"""


class Sides(NamedTuple):
    """As HTML. `has_gaps`: the question holds the answer, and Anki hides it."""

    question: str
    answer: str
    has_gaps: bool = False


def write(quiz: Quiz, questions: Sequence[Question]) -> bytes:
    """Raises OSError or sqlite3.Error when there is no room for a temporary file."""
    deck = genanki.Deck(_deck_id(quiz), texts.one_line(quiz.title).replace("::", ":"))
    models = {has_gaps: _model(has_gaps=has_gaps) for has_gaps in (False, True)}
    for question in questions:
        sides = _sides(question, quiz.language)
        deck.add_note(_note(question, sides, models[sides.has_gaps]))
    modified = {str(question.id): _modified(question) for question in questions}
    return zipped({"collection.anki2": _collection(deck, quiz, modified), "media": b"{}"})


def _collection(deck: genanki.Deck, quiz: Quiz, modified: Mapping[str, int]) -> bytes:
    created_at = int(quiz.created_at.timestamp())
    # A file, because not every build of SQLite can give the bytes of a database in memory.
    with TemporaryDirectory(prefix="quizmill-anki-") as directory:
        path = Path(directory) / "collection.anki2"
        with closing(sqlite3.connect(path)) as database:
            genanki.Package(deck).write_to_db(database.cursor(), created_at, count(created_at * 1000))
            ages = [(modified[guid], note_id) for note_id, guid in database.execute("SELECT id, guid FROM notes")]
            database.executemany("UPDATE notes SET mod = ? WHERE id = ?", ages)
            database.commit()
        return path.read_bytes()


def _deck_id(quiz: Quiz) -> int:
    return int.from_bytes(sha256(quiz.id.bytes).digest()[:4]) >> 1 | 1 << 30


def _modified(question: Question) -> int:
    return int(question.generated_at.timestamp()) + question.version


def _model(*, has_gaps: bool) -> genanki.Model:
    shown = '<div dir="auto">{{cloze:Question}}</div>' if has_gaps else '<div dir="auto">{{Question}}</div>'
    answer = '{{#Answer}}<div class="also" dir="auto">{{Answer}}</div>{{/Answer}}'
    back = shown + answer if has_gaps else f'{shown}<hr id="answer"><div class="answer" dir="auto">{{{{Answer}}}}</div>'
    return genanki.Model(
        CLOZE_MODEL if has_gaps else CARD_MODEL,
        "Quizmill cloze" if has_gaps else "Quizmill card",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card", "qfmt": shown, "afmt": back + _BACK}],
        css=_STYLE,
        model_type=genanki.Model.CLOZE if has_gaps else genanki.Model.FRONT_BACK,
    )


def _note(question: Question, sides: Sides, model: genanki.Model) -> genanki.Note:
    fields = [
        sides.question,
        sides.answer,
        _html(question.explanation),
        _html(texts.quote_of(question)),
        _html(question.module_name),
        str(question.id),
    ]
    tags = ["_".join(label.split()) for label in texts.labels_of(question)]
    return genanki.Note(model, fields, tags=[question.question_type, *tags], guid=str(question.id))


def _sides(question: Question, language: str) -> Sides:  # noqa: C901, PLR0911 - one arm a question type
    content = question.content
    match content:
        case MultipleChoice(answer=key):
            return Sides(_html(content.stem) + _lettered(content.options), _html(content.options[key]))
        case MultipleResponse(answers=keys):
            return Sides(
                _html(content.stem) + _lettered(content.options), _list("ul", [content.options[key] for key in keys])
            )
        case TrueFalse(answer=is_true):
            words = truth_in(language)
            return Sides(_html(content.stem) + _list("ul", words), _html(words[0 if is_true else 1]))
        case FillInBlank():
            return _gap(content)
        case ShortAnswer():
            return Sides(_html(content.stem), _list("ul", content.answers))
        case Matching():
            return _matching(content)
        case Numeric(tolerance=tolerance):
            within = f" ± {figure_of(tolerance)}" if tolerance else ""
            return Sides(_html(content.stem), figure_of(content.answer) + within)
        case Flashcard():
            return Sides(_html(content.front), _html(content.back))
        case Vocabulary():
            return Sides(_html(content.term), f"{_html(content.definition)}<p><em>{_html(content.example)}</em></p>")
        case _:
            assert_never(content)


def _gap(content: FillInBlank) -> Sides:
    """The best answer stands in the gap; the others are told with the back."""
    best, others = content.answers[0], content.answers[1:]
    stem = _html(content.stem)
    if not texts.GAP.search(stem):
        return Sides(stem, _list("ul", content.answers))
    hidden = f"{{{{c1::{_html(best)}}}}}"
    return Sides(texts.GAP.sub(lambda _: hidden, stem), " · ".join(map(_html, others)), has_gaps=True)


def _matching(content: Matching) -> Sides:
    """Lefts and rights, each in their own order; the back says what belongs together."""
    lefts = _list("ul", [pair.left for pair in content.pairs])
    rights = sorted([*(pair.right for pair in content.pairs), *content.extra_rights], key=texts.alphabetical)
    rows = (f"<tr><td>{_html(pair.left)}</td><td>{_html(pair.right)}</td></tr>" for pair in content.pairs)
    return Sides(_html(content.stem) + lefts + _lettered(rights), f"<table>{''.join(rows)}</table>")


def _lettered(lines: Sequence[str]) -> str:
    return _list("ol", lines).replace("<ol>", '<ol type="A">', 1)


def _list(kind: str, lines: Sequence[str]) -> str:
    return f"<{kind}>{''.join(f'<li>{_html(line)}</li>' for line in lines)}</{kind}>"


def _html(text: str) -> str:
    return texts.as_html(text).translate(MEANT_BY_ANKI)
