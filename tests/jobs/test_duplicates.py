"""When two questions are the same, and when they only look alike."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.duplicates import Taken, duplicate_of
from schemas.questions import (
    Content,
    Evidence,
    FillInBlank,
    Fingerprint,
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
from service.rules.likeness import fingerprint_of, key_form, text_form

MODULE = UUID(int=1)
OTHER_MODULE = UUID(int=2)


def print_of(content: Content, start: int = 0, end: int = 50, module_id: UUID = MODULE) -> Fingerprint:
    return fingerprint_of(content, Evidence(quote="", module_id=module_id, start=start, end=end))


def short(stem: str, answer: str) -> ShortAnswer:
    return ShortAnswer(stem=stem, answers=(answer,))


def same(one: Fingerprint, other: Fingerprint) -> bool:
    forwards, backwards = duplicate_of(one, [other]), duplicate_of(other, [one])
    assert (forwards is None) == (backwards is None)
    return forwards is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TCP", "tcp"),
        ("Straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("\uff34\uff23\uff30", "TCP"),
        ("ﬁle", "file"),
        ("“the  engine”", '"the engine"'),
        ("don\u2019t", "don't"),
        ("a \u2013 b", "a - b"),
        ("Paris.", "Paris"),
        ("soft\u00adware", "software"),
        ("H₂O", "h2o"),
        ("x²", "x^2"),
    ],
)
def test_answers_that_read_the_same_have_one_form(one: str, other: str) -> None:
    assert key_form(one) == key_form(other)
    assert text_form(one) == text_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "C++"), ("C", "C#"), ("5", "-5"), ("35", "3.5"), ("10²", "102"), ("[1]", "(1)"), ("f'", "f''")],
)
def test_answers_that_differ_in_a_mark_that_matters_have_two_forms(one: str, other: str) -> None:
    assert key_form(one) != key_form(other)


def test_texts_that_differ_in_punctuation_only_have_one_form() -> None:
    assert text_form("Which layer, of the 7, routes?") == text_form("which layer of the 7 routes")


def test_the_same_key_on_overlapping_evidence_is_the_same_question() -> None:
    one = print_of(short("What reduces carbon dioxide to sugar?", "the Calvin cycle"), 100, 180)
    other = print_of(short("Name the reactions that use ATP in the stroma.", "The Calvin cycle."), 150, 260)
    assert same(one, other)


@pytest.mark.parametrize(("start", "end", "module_id"), [(180, 260, MODULE), (100, 180, OTHER_MODULE)])
def test_the_same_key_proved_elsewhere_is_another_question(start: int, end: int, module_id: UUID) -> None:
    one = print_of(short("What reduces carbon dioxide to sugar?", "the Calvin cycle"), 100, 180)
    other = print_of(
        short("Name the reactions that use ATP in the stroma.", "The Calvin cycle."), start, end, module_id
    )
    assert not same(one, other)


def test_nearly_the_same_stem_and_key_is_the_same_question_wherever_it_is_proved() -> None:
    one = print_of(short("Which organelle carries out photosynthesis in a plant cell?", "chloroplast"))
    other = print_of(short("Which organelle carries out photosynthesis in plant cells?", "Chloroplasts"), 900, 950)
    assert same(one, other)


def test_like_stems_with_other_keys_are_different_questions() -> None:
    one = print_of(short("What does UEFI stand for?", "Unified Extensible Firmware Interface"))
    other = print_of(short("What does DHCP stand for?", "Dynamic Host Configuration Protocol"))
    assert not same(one, other)


def test_two_statements_on_one_sentence_are_different_although_both_are_true() -> None:
    one = print_of(TrueFalse(stem="Thylakoids carry the photosystems.", answer=True))
    other = print_of(TrueFalse(stem="A granum is a stack of discs inside the stroma.", answer=True))
    assert not same(one, other)


def test_a_statement_and_its_twin_with_one_word_exchanged_are_the_same() -> None:
    one = print_of(TrueFalse(stem="The Calvin cycle takes place in the stroma of the chloroplast.", answer=True))
    other = print_of(TrueFalse(stem="The Calvin cycle takes place in the lumen of the chloroplast.", answer=False))
    assert same(one, other)


def test_only_questions_of_one_type_are_compared() -> None:
    contents: list[Content] = [
        short("What is the powerhouse?", "mitochondrion"),
        Flashcard(front="What is the powerhouse?", back="mitochondrion"),
        MultipleChoice(stem="What is the powerhouse?", options=("mitochondrion", "a", "b"), answer=0),
        FillInBlank(stem="What is the powerhouse?", answers=("mitochondrion",)),
        MultipleResponse(stem="What is the powerhouse?", options=("mitochondrion", "a", "b"), answers=(0,)),
    ]
    prints = [print_of(content) for content in contents]
    for position, one in enumerate(prints):
        assert duplicate_of(one, prints[:position] + prints[position + 1 :]) is None
        assert duplicate_of(one, prints) == one
    assert len({one.hash for one in prints}) == len(prints)


def test_several_keys_are_the_same_in_any_order_whatever_is_wrong() -> None:
    one = MultipleResponse(stem="Which are pigments?", options=("chlorophyll", "carotene", "starch"), answers=(0, 1))
    other = MultipleResponse(
        stem="Name what absorbs light in a leaf.", options=("glucose", "carotene", "Chlorophyll"), answers=(1, 2)
    )
    third = one.model_copy(update={"answers": (0, 2)})
    assert same(print_of(one), print_of(other))
    assert print_of(one).key != print_of(third).key


def pairs(*texts: str) -> tuple[Pair, ...]:
    return tuple(Pair(left=text.partition("-")[0], right=text.partition("-")[2]) for text in texts)


def test_the_same_pairs_are_the_same_question_in_any_order_with_any_stem() -> None:
    one = Matching(stem="Match.", pairs=pairs("TCP-ordered", "UDP-fast", "IP-routed"), extra_rights=())
    other = Matching(
        stem="Which protocol has which quality in the lecture?",
        pairs=pairs("IP-routed", "TCP-ordered", "UDP-fast"),
        extra_rights=("slow",),
    )
    crossed = Matching(stem="Match.", pairs=pairs("TCP-fast", "UDP-ordered", "IP-routed"), extra_rights=())
    assert same(print_of(one), print_of(other))
    assert print_of(one).key != print_of(crossed).key


def test_one_number_of_one_passage_is_asked_for_once() -> None:
    one = Numeric(stem="How many photons are needed for one molecule of oxygen?", answer=8, tolerance=0)
    other = Numeric(stem="Oxygen: give the number of light particles.", answer=8.0, tolerance=0.5)
    third = Numeric(stem="Name the count of protons that the cycle moves.", answer=2, tolerance=0)
    assert same(print_of(one), print_of(other))
    assert not same(print_of(one), print_of(third))
    assert not same(print_of(one), print_of(other, 100, 150))


def test_a_vocabulary_list_holds_each_term_once_wherever_it_is_proved() -> None:
    one = print_of(Vocabulary(term="Stroma", definition="the fluid of a chloroplast", example="x"), 0, 10)
    other = print_of(Vocabulary(term="stroma", definition="where sugar is made", example="y"), 900, 950, OTHER_MODULE)
    assert same(one, other)


def test_the_taken_question_itself_is_returned() -> None:
    taken = [print_of(short(f"Question {n * 7919 % 1000} about {n}?", f"answer {n * n}"), n, n + 1) for n in range(50)]
    assert duplicate_of(taken[31], taken) == taken[31]
    assert duplicate_of(taken[31], []) is None


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_sorted_by_type_finds_the_same_as_a_list(data: st.DataObject) -> None:
    words = st.sampled_from(["light", "lights", "water", "sugar and water", "sugar and waters"])
    content = st.one_of(
        st.builds(short, words, words),
        st.builds(lambda front, back: Flashcard(front=front, back=back), words, words),
        st.builds(lambda term, definition: Vocabulary(term=term, definition=definition, example=""), words, words),
    )
    prints = st.builds(lambda content, start: print_of(content, start, start + 10), content, st.integers(0, 30))
    listed, wanted = data.draw(st.lists(prints, max_size=12)), data.draw(prints)
    taken = Taken(listed[:3])
    taken.extend(listed[3:])
    assert duplicate_of(wanted, taken) is duplicate_of(wanted, listed)
    assert sorted(map(id, taken)) == sorted(map(id, listed))
    taken.append(wanted)
    assert duplicate_of(wanted, taken) is not None


def test_what_stands_beside_is_taken_too_also_when_it_comes_later() -> None:
    known = Taken()
    taken = Taken([print_of(short("What is light?", "a wave"))], beside=known)
    wanted = print_of(short("What is bark?", "a skin"), 50, 60)
    assert duplicate_of(wanted, taken) is None
    known.append(wanted)
    assert duplicate_of(wanted, taken) is wanted
    assert len(list(taken)) == 2
    assert len(list(known)) == 1


def test_a_question_of_nothing_but_marks_has_a_form_of_its_own() -> None:
    assert print_of(short("?!", "++")).text != print_of(short("...", "--")).text


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    for form in (key_form, text_form):
        assert form(form(text)) == form(text)
        assert form(f"  {text} ") == form(text)


@settings(max_examples=200, deadline=None)
@given(stem=st.text(), answer=st.text())
def test_every_question_repeats_itself(stem: str, answer: str) -> None:
    for content in (short(stem, answer), Flashcard(front=stem, back=answer), TrueFalse(stem=stem, answer=True)):
        fingerprint = print_of(content)
        assert duplicate_of(fingerprint, [fingerprint]) == fingerprint
