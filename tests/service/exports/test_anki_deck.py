"""The real Anki imports a deck, shows its cards, and takes over what has changed since."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from schemas.questions import FillInBlank, Question, TrueFalse
from schemas.states import QuestionType
from service.exports.formats import FORMATS
from tests.service.exports.anki_reader import Anki, Imported, anki, assert_shows
from tests.service.exports.contents import one_of_each, question
from tests.service.exports.strategies import PATIENT, questions
from tests.web import samples

ANKI = FORMATS["anki"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anki]:
    """One collection for many decks: to open it takes longer than to import."""
    with anki(tmp_path_factory.mktemp("anki")) as program:
        yield program


def deck(*asked: Question, language: str = "en") -> bytes:
    return ANKI.write(samples.quiz().model_copy(update={"language": language}), asked)


def test_every_type_is_a_card_that_asks_and_answers(tmp_path: Path) -> None:
    asked = one_of_each()
    with anki(tmp_path) as program:
        assert program.take(deck(*asked)) == Imported(new=9, updated=0, unchanged=0)
        cards = program.cards()
    assert set(cards) == {one.id for one in asked}
    for one in asked:
        assert_shows(cards[one.id], one)


def test_the_same_deck_again_changes_nothing(tmp_path: Path) -> None:
    with anki(tmp_path) as program:
        program.take(deck(*one_of_each()))
        assert program.take(deck(*one_of_each())) == Imported(new=0, updated=0, unchanged=9)


def test_an_edited_question_updates_its_note_and_a_new_one_is_added(tmp_path: Path) -> None:
    first, second, third = (question(number, QuestionType.TRUE_FALSE) for number in (1, 2, 3))
    edited = first.model_copy(update={"content": TrueFalse(stem="It is not so.", answer=True), "version": 2})
    with anki(tmp_path) as program:
        program.take(deck(first, second))
        assert program.take(deck(edited, second, third)) == Imported(new=1, updated=1, unchanged=1)
        cards = program.cards()
        assert len(cards) == 3
        assert_shows(cards[first.id], edited)
        again = edited.model_copy(update={"content": first.content, "version": 3})
        assert program.take(deck(again)) == Imported(new=0, updated=1, unchanged=0)
        assert_shows(program.cards()[first.id], first)


def test_what_a_learner_changed_in_anki_stays(tmp_path: Path) -> None:
    asked = question(1, QuestionType.FLASHCARD)
    with anki(tmp_path) as program:
        program.take(deck(asked))
        [note_id] = program.collection.find_notes("")
        note = program.collection.get_note(note_id)
        note["Answer"] = "my own words"
        program.collection.update_note(note)
        edited = asked.model_copy(update={"version": 2})
        assert program.take(deck(edited)).new == 0
        assert "my own words" in program.cards()[asked.id].back


def test_two_quizzes_do_not_disturb_each_other(tmp_path: Path) -> None:
    other = samples.quiz(title="Chemistry: acids::bases").model_copy(update={"id": samples.SECOND})
    with anki(tmp_path) as program:
        program.take(deck(question(1, QuestionType.FLASHCARD)))
        assert program.take(ANKI.write(other, [question(2, QuestionType.FLASHCARD)])).new == 1
        names = {deck.name for deck in program.collection.decks.all_names_and_ids()}
        assert names == {"Default", "Biology", "Chemistry: acids:bases"}
        assert len(program.cards()) == 2


@PATIENT
@given(asked=questions())
def test_every_text_survives(opened: Anki, asked: list[Question]) -> None:
    assert opened.take(deck(*asked)).new == len(asked)
    cards = opened.cards()
    opened.forget()
    assert set(cards) == {one.id for one in asked}
    for one in asked:
        assert_shows(cards[one.id], one)


def test_a_gap_hides_the_best_answer_and_tells_the_others_behind(tmp_path: Path) -> None:
    content = FillInBlank(stem="Roots take up ____ {{c2::x}}.", answers=("water}}", "H2O"))
    with anki(tmp_path) as program:
        program.take(deck(question(1, QuestionType.FILL_IN_BLANK, content=content)))
        [card] = program.cards().values()
    assert ">[...]</span>" in card.front
    assert "H2O" not in card.front
    assert "H2O" in card.back


def test_a_sentence_without_its_gap_is_a_plain_card(tmp_path: Path) -> None:
    content = FillInBlank(stem="Roots take up what?", answers=("water",))
    with anki(tmp_path) as program:
        assert program.take(deck(question(1, QuestionType.FILL_IN_BLANK, content=content))).new == 1
        [card] = program.cards().values()
    assert "water" not in card.front
    assert "water" in card.back


def test_true_and_false_are_said_in_the_language_of_the_quiz(tmp_path: Path) -> None:
    with anki(tmp_path) as program:
        program.take(deck(question(1, QuestionType.TRUE_FALSE), language="de"))
        [card] = program.cards().values()
    assert "Richtig" in card.front
    assert card.back.count("Falsch") == 2


def test_labels_become_tags(tmp_path: Path) -> None:
    asked = question(1, QuestionType.FLASHCARD, text="Light waves").model_copy(update={"tags": ("two words",)})
    with anki(tmp_path) as program:
        program.take(deck(asked))
        [note_id] = program.collection.find_notes("")
        tags = program.collection.get_note(note_id).tags
    assert set(tags) == {"Light_waves", "easy", "flashcard", "remember", "two_words"}


def test_no_file_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert deck(*one_of_each())
    assert list(tmp_path.iterdir()) == []
