"""The drafts of each type: their form, their evidence and their honesty."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.offline.analysis import Analysis, Stopped
from jobs.offline.english import ENGLISH
from jobs.offline.generator import Wish, drafts
from jobs.offline.german import GERMAN
from jobs.tongues import Ear
from schemas.questions import Draft, FillInBlank, Flashcard, MultipleChoice, ShortAnswer, TrueFalse, Vocabulary
from schemas.states import CognitiveLevel, QuestionType
from service.rules.fields import wording_of
from tests.jobs.offline.reading import analysed, drafted, never


def of_type(analysis: Analysis, question_type: QuestionType) -> list[Draft]:
    return list(drafts(analysis, Wish(question_type), never))


def contents(analysis: Analysis, question_type: QuestionType) -> list[object]:
    return [draft.content for draft in of_type(analysis, question_type)]


def test_choices_have_four_different_options_and_a_key(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis in (photosynthesis, networks):
        for content in contents(analysis, QuestionType.MULTIPLE_CHOICE):
            assert isinstance(content, MultipleChoice)
            assert len({option.casefold() for option in content.options}) == 4
            assert 0 <= content.answer < 4


def test_the_key_stands_at_every_place(photosynthesis: Analysis) -> None:
    places = Counter(
        content.answer
        for content in contents(photosynthesis, QuestionType.MULTIPLE_CHOICE)
        if isinstance(content, MultipleChoice)
    )
    assert all(places[place] > places.total() / 6 for place in range(4))


def test_outside_a_sentence_every_option_begins_alike(photosynthesis: Analysis) -> None:
    """The capital of a name would tell it from the nouns."""
    for content in contents(photosynthesis, QuestionType.MULTIPLE_CHOICE):
        assert isinstance(content, MultipleChoice)
        if content.stem.startswith(("Which", "Who", "____")):
            plain = [option for option in content.options if option[:1].isalpha() and option.split()[0].isalpha()]
            assert all(option[0].isupper() or not option.split()[0].islower() for option in plain)


def test_a_cloze_has_one_gap_and_its_answer_stands_in_the_quote(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis in (photosynthesis, networks):
        for draft in of_type(analysis, QuestionType.FILL_IN_BLANK):
            assert isinstance(draft.content, FillInBlank)
            assert draft.content.stem.count("____") == 1
            assert draft.content.answers[0].casefold() in draft.quote.replace("*", "").casefold()


def test_true_and_false_statements_alternate(photosynthesis: Analysis) -> None:
    truths = [
        content.answer
        for content in contents(photosynthesis, QuestionType.TRUE_FALSE)
        if isinstance(content, TrueFalse)
    ]
    assert len(truths) > 100
    assert truths[:20] == [True, False] * 10
    assert 0.35 < sum(truths) / len(truths) < 0.65


def test_a_true_statement_is_the_sentence_and_a_false_one_says_what_is_right(photosynthesis: Analysis) -> None:
    texts = {statement.text for statement in photosynthesis.statements}
    for draft in of_type(photosynthesis, QuestionType.TRUE_FALSE):
        assert isinstance(draft.content, TrueFalse)
        assert (draft.content.stem in texts) is draft.content.answer
        if not draft.content.answer:
            assert draft.explanation.startswith("The statement ")


def test_an_opposite_makes_a_statement_false() -> None:
    organs = ("lumen", "stroma", "granum", "xylem", "phloem", "cuticle", "epidermis", "vacuole")
    text = " ".join(f"The {organ} of the cactus releases its protons before the dawn of the day." for organ in organs)
    contents = [draft.content for draft in drafted(text, QuestionType.TRUE_FALSE)]
    wrong = [content.stem for content in contents if isinstance(content, TrueFalse) and not content.answer]
    assert wrong
    assert all("absorbs its protons before" in stem or "releases its protons after" in stem for stem in wrong)


def test_short_answers_are_short(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis in (photosynthesis, networks):
        for content in contents(analysis, QuestionType.SHORT_ANSWER):
            assert isinstance(content, ShortAnswer)
            assert content.stem[-1] in "?."
            assert len(content.answers[0].split()) <= 9


def test_flashcards_begin_with_definitions(photosynthesis: Analysis) -> None:
    cards = [content for content in contents(photosynthesis, QuestionType.FLASHCARD) if isinstance(content, Flashcard)]
    assert all(card.front.startswith(("What is", "What are", "What does")) for card in cards[:20])
    assert Flashcard(front="What is a granum?", back="A stack of thylakoids that resembles a pile of coins.") in cards


def test_vocabulary_shows_the_term_in_use(photosynthesis: Analysis) -> None:
    entries = {
        content.term: content
        for content in contents(photosynthesis, QuestionType.VOCABULARY)
        if isinstance(content, Vocabulary)
    }
    assert len(entries) >= 60
    assert "ATP synthase" in entries["ATP synthase"].example
    assert entries["ATP synthase"].example != f"ATP synthase is {entries['ATP synthase'].definition}."


@pytest.mark.parametrize("question_type", QuestionType)
def test_every_draft_is_marked_as_recall_made_offline(photosynthesis: Analysis, question_type: QuestionType) -> None:
    for draft in of_type(photosynthesis, question_type):
        assert draft.tags[0] == "offline"
        assert draft.cognitive_level is CognitiveLevel.REMEMBER
        assert "The source says: “" in draft.explanation


def test_german_questions_are_german(networks: Analysis) -> None:
    stems = [
        content.stem for content in contents(networks, QuestionType.SHORT_ANSWER) if isinstance(content, ShortAnswer)
    ]
    assert "Wer entwarf das Domain Name System im Jahr 1983?" in stems
    assert "Wofür steht die Abkürzung TCP?" in stems
    assert all("In der Quelle steht: „" in draft.explanation for draft in of_type(networks, QuestionType.FLASHCARD))


@pytest.mark.parametrize("question_type", list(QuestionType))
def test_no_question_is_taken_for_another_language(
    photosynthesis: Analysis, networks: Analysis, question_type: QuestionType
) -> None:
    for analysis, other in ((photosynthesis, "de"), (networks, "en")):
        ear, foreign_ear = Ear(analysis.language.code), Ear(other)
        texts = [f"{wording_of(draft.content)}\n{draft.explanation}" for draft in of_type(analysis, question_type)]
        assert not any(ear.hears_foreign(text) for text in texts)
        # Three short questions may be too little to tell.
        assert len(texts) < 4 or any(foreign_ear.hears_foreign(text) for text in texts)


def test_writing_can_be_given_up(photosynthesis: Analysis) -> None:
    stopped: list[bool] = []
    rest = drafts(photosynthesis, Wish(QuestionType.MULTIPLE_CHOICE), lambda: bool(stopped))
    next(rest)
    stopped.append(True)
    with pytest.raises(Stopped):
        next(rest)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.sampled_from(
                [
                    "A granum is a stack of thylakoids that resembles coins.",
                    "Der Router ist ein Gerät, das Pakete weiterleitet und der Firma gehört.",
                    "Robert Hill proposed the scheme of the leaf in 1960.",
                    "The leaf has 20 carbon atoms in the chain (ATP) of the cell.",
                    "- **Stroma**: the fluid that fills the leaf\n",
                    "However, the lumen of the leaf is a narrow space with two walls.",
                ]
            ),
        ),
        max_size=12,
    ),
    st.sampled_from([ENGLISH, GERMAN]),
)
def test_any_text_gives_drafts_whose_quotes_stand_in_it(parts: list[str], language: object) -> None:
    text = " ".join(parts)
    analysis = analysed(text, GERMAN if language is GERMAN else ENGLISH)
    for question_type in QuestionType:
        assert all(draft.quote in text for draft in of_type(analysis, question_type))
