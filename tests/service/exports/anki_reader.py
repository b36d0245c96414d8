"""Imports decks into a collection of the real Anki, without its windows."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, assert_never
from uuid import UUID

from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest

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
from tests.service.exports.reading import shown, written

TAGS = ("br", "div", "ol", "ul", "li", "hr", "table", "tbody", "tr", "td", "p", "em", "span", "blockquote", "footer")


class Imported(NamedTuple):
    new: int
    updated: int
    unchanged: int


class Shown(NamedTuple):
    """A card as it is shown, without its style."""

    front: str
    back: str


class Anki:
    def __init__(self, collection: Collection, directory: Path) -> None:
        self.collection, self._directory = collection, directory

    def take(self, deck: bytes) -> Imported:
        """Import with the settings that Anki begins with."""
        path = self._directory / "deck.apkg"
        path.write_bytes(deck)
        request = ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions())
        log = self.collection.import_anki_package(request).log
        refused = (log.conflicting, log.missing_notetype, log.missing_deck, log.empty_first_field)
        assert not any(map(len, refused))
        return Imported(len(log.new), len(log.updated), len(log.duplicate))

    def cards(self) -> dict[UUID, Shown]:
        """The one card of every note, by the note's guid."""
        found = {}
        for note_id in self.collection.find_notes(""):
            note = self.collection.get_note(note_id)
            [card] = note.cards()
            found[UUID(note.guid)] = Shown(_styleless(card.question()), _styleless(card.answer()))
        return found

    def forget(self) -> None:
        """Remove every note."""
        self.collection.remove_notes(self.collection.find_notes(""))


@contextmanager
def anki(directory: Path) -> Iterator[Anki]:
    directory.mkdir(exist_ok=True)
    collection = Collection(str(directory / "collection.anki2"))
    try:
        yield Anki(collection, directory)
    finally:
        collection.close()


def assert_shows(card: Shown, question: Question, language: str = "en") -> None:
    """The front asks and does not tell; the back has all that the question has."""
    front, back = _flat(shown(card.front, allowed=TAGS)), _flat(shown(card.back, allowed=TAGS))
    asked, answers = _sides(question, language)
    for text in asked:
        assert _flat(written(text)) in front
    for text in (*answers, question.explanation, question.evidence.quote, question.module_name):
        assert _flat(written(text)) in back


def _sides(  # noqa: C901, PLR0911 - one arm a question type
    question: Question, language: str
) -> tuple[Sequence[str], Sequence[str]]:
    content = question.content
    match content:
        case MultipleChoice(stem=stem, options=options, answer=key):
            return (stem, *options), [options[key]]
        case MultipleResponse(stem=stem, options=options, answers=keys):
            return (stem, *options), [options[key] for key in keys]
        case TrueFalse(stem=stem, answer=is_true):
            return [stem], [truth_in(language)[0 if is_true else 1]]
        case FillInBlank(stem=stem, answers=answers):
            parts = re.split("_{4,}", stem)
            return parts, answers
        case ShortAnswer(stem=stem, answers=answers):
            return [stem], answers
        case Matching(stem=stem, pairs=pairs, extra_rights=extra):
            lefts, rights = [pair.left for pair in pairs], [pair.right for pair in pairs]
            return (stem, *lefts, *rights, *extra), (*lefts, *rights)
        case Numeric(stem=stem, answer=answer, tolerance=tolerance):
            return [stem], [figure_of(answer), figure_of(tolerance) if tolerance else ""]
        case Flashcard(front=front, back=back):
            return [front], [back]
        case Vocabulary(term=term, definition=definition, example=example):
            return [term], [definition, example]
        case _:
            assert_never(content)


def _styleless(html: str) -> str:
    return re.sub("<style>.*?</style>", "", html, flags=re.DOTALL)


def _flat(text: str) -> str:
    """Anki composes letters and their accents."""
    return " ".join(unicodedata.normalize("NFC", text).split())
