"""A draft is judged: what makes it sound, and each reason to send it back."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.checks import Rejection, judge
from jobs.flaws import COST_OF
from jobs.providers.base import Source
from schemas.questions import (
    Content,
    Draft,
    FillInBlank,
    Flashcard,
    Matching,
    MultipleChoice,
    MultipleResponse,
    Numeric,
    Pair,
    ShortAnswer,
    SoundQuestion,
    TrueFalse,
    Vocabulary,
)
from service.rules.fields import OPTION_CHARACTERS_MAX, PASSAGE_CHARACTERS_MAX
from service.rules.structure import EXPLANATION_CHARACTERS_MAX

MODULE = UUID(int=1)
TEXT = (
    "TCP establishes a connection before any data is sent.\n"
    "It retransmits lost segments, so that an application sees an ordered stream of bytes.\n\n"
    "UDP, by contrast, sends   datagrams without a connection; a datagram may be lost.\n"
    "The default port of HTTPS is 443, that of HTTP is 80, and DNS listens on port 53."
)
CONNECTION = "TCP establishes a connection before any data is sent."
PORTS = "The default port of HTTPS is 443"

CHOICE = MultipleChoice(
    stem="Which protocol establishes a connection before it sends data?",
    options=("TCP", "UDP", "DNS", "ICMP"),
    answer=0,
)
STATEMENT = TrueFalse(stem="TCP establishes a connection before it sends data.", answer=True)
CLOZE = FillInBlank(stem="Before it sends data, ____ establishes a connection.", answers=("TCP",))
SHORT = ShortAnswer(stem="Which protocol establishes a connection first?", answers=("TCP",))
CARD = Flashcard(front="What does TCP do before it sends data?", back="It establishes a connection.")
WORD = Vocabulary(
    term="connection", definition="an agreed channel between two hosts", example="TCP sets up a connection first."
)
RESPONSE = MultipleResponse(
    stem="Which of these words stand in the sentence on connections?",
    options=("TCP", "before any data", "a datagram"),
    answers=(0, 1),
)
PORTS_MATCHED = Matching(
    stem="Match each protocol with its port.",
    pairs=(Pair(left="HTTPS", right="443"), Pair(left="HTTP", right="80"), Pair(left="DNS", right="53")),
    extra_rights=("22",),
)
NUMBER = Numeric(stem="Which is the default port of HTTPS?", answer=443, tolerance=0)
ALL_TYPES: list[Content] = [CHOICE, RESPONSE, STATEMENT, CLOZE, SHORT, PORTS_MATCHED, NUMBER, CARD, WORD]
QUOTE_OF: dict[type[Content], str] = {Matching: TEXT.splitlines()[-1], Numeric: PORTS}


def source(text: str = TEXT, language: str = "en") -> Source:
    return Source(module_id=MODULE, name="Transport", text=text, language=language)


def draft(content: Content, quote: str = CONNECTION, explanation: str = "") -> Draft:
    return Draft(content=content, quote=quote, explanation=explanation)


def sound(content: Content, quote: str = CONNECTION, explanation: str = "") -> SoundQuestion:
    verdict = judge(draft(content, quote, explanation), source(), [])
    assert isinstance(verdict, SoundQuestion), verdict
    return verdict


def rejected(content: Content, quote: str = CONNECTION, explanation: str = "") -> Rejection:
    verdict = judge(draft(content, quote, explanation), source(), [])
    assert isinstance(verdict, Rejection), verdict
    return verdict


def choice(*options: str, answer: int = 0) -> MultipleChoice:
    return MultipleChoice(stem=CHOICE.stem, options=options, answer=answer)


@pytest.mark.parametrize("content", ALL_TYPES, ids=lambda content: type(content).__name__)
def test_a_good_draft_of_every_type_is_sound(content: Content) -> None:
    question = sound(content, QUOTE_OF.get(type(content), CONNECTION))
    assert type(question.content) is type(content)
    assert question.flaws == ()
    assert question.quality == 1.0


def test_the_evidence_is_the_module_s_own_text_whatever_the_quote_s_spacing() -> None:
    evidence = sound(CHOICE, "UDP, by contrast, sends datagrams without a connection").evidence
    assert evidence.quote == "UDP, by contrast, sends   datagrams without a connection"
    assert evidence.quote == TEXT[evidence.start : evidence.end]
    assert evidence.module_id == MODULE


def test_evidence_in_slightly_other_words_is_kept_and_shown_to_the_reviewer() -> None:
    question = sound(SHORT, "It retransmits the lost segments, so that an application sees an ordered stream of bytes.")
    assert question.evidence.quote == TEXT[question.evidence.start : question.evidence.end]
    assert question.evidence.quote.startswith("It retransmits lost segments")
    assert "evidence_not_verbatim" in question.flaws


@pytest.mark.parametrize("quote", ["", "  ", "...", "“”"])
def test_a_draft_without_a_quote_has_no_evidence(quote: str) -> None:
    assert rejected(CHOICE, quote).code == "no_evidence"


@pytest.mark.parametrize("quote", ["QUIC runs over UDP and encrypts its headers.", "TC", "the sea"])
def test_a_quote_that_the_module_does_not_hold_is_refused(quote: str) -> None:
    rejection = rejected(CHOICE, quote)
    assert rejection.code == "evidence_not_in_source"
    assert quote in rejection.message


def test_a_quote_of_half_a_module_proves_nothing() -> None:
    assert rejected(CHOICE, "TCP " * PASSAGE_CHARACTERS_MAX).code == "text_too_long"


@pytest.mark.parametrize("options", [("TCP",), ("TCP", "UDP"), tuple("abcdefg")])
def test_a_choice_has_three_to_six_options(options: tuple[str, ...]) -> None:
    assert rejected(choice(*options)).code == "option_count"


@pytest.mark.parametrize("answer", [-1, 4, 99])
def test_the_key_must_be_one_of_the_options(answer: int) -> None:
    assert rejected(choice("TCP", "UDP", "DNS", "ICMP", answer=answer)).code == "key_not_in_options"


@pytest.mark.parametrize("blank", ["", "   ", "\u200b", "\n\t"])
def test_no_option_may_be_empty(blank: str) -> None:
    assert rejected(choice("TCP", blank, "UDP")).code == "empty_option"


@pytest.mark.parametrize("twin", ["TCP", "tcp", " TCP ", "TCP.", "\uff34\uff23\uff30", "“TCP”", "T\u00adCP"])
def test_options_that_read_the_same_are_refused(twin: str) -> None:
    assert rejected(choice("TCP", "UDP", twin)).code == "duplicate_options"


@pytest.mark.parametrize(
    "options", [("C", "C++", "C#"), ("-5", "5", "0.5"), ("f'", "f''", "f"), ("[1]", "(1)", "{1}"), ("10²", "102", "12")]
)
def test_options_that_differ_in_a_mark_that_matters_are_different(options: tuple[str, ...]) -> None:
    assert isinstance(sound(choice(*options)).content, MultipleChoice)


def response(*options: str, answers: tuple[int, ...]) -> MultipleResponse:
    return MultipleResponse(stem=RESPONSE.stem, options=options, answers=answers)


@pytest.mark.parametrize(
    ("options", "answers", "code"),
    [
        (("TCP", "UDP"), (0, 1), "option_count"),
        (tuple("abcdefg"), (0, 1), "option_count"),
        (("TCP", "UDP", "DNS"), (), "key_not_in_options"),
        (("TCP", "UDP", "DNS"), (0, 3), "key_not_in_options"),
        (("TCP", "UDP", "DNS"), (-1, 0), "key_not_in_options"),
        (("TCP", "UDP", "DNS"), (1,), "key_count"),
        (("TCP", "UDP", "DNS"), (1, 1), "key_count"),
        (("TCP", "UDP", "DNS"), (0, 1, 2), "key_count"),
        (("TCP", "UDP", "tcp."), (0, 1), "duplicate_options"),
        (("TCP", "UDP", " "), (0, 1), "empty_option"),
        (("A) TCP", "B) UDP", "C) DNS"), (0, 1), "label_in_option"),
        (("TCP", "UDP", "All of the above"), (0, 1), "all_of_the_above"),
        (("TCP", "UDP", "Both A and B"), (0, 1), "complex_k_type"),
    ],
)
def test_several_right_options_follow_the_rules_of_options(
    options: tuple[str, ...], answers: tuple[int, ...], code: str
) -> None:
    assert rejected(response(*options, answers=answers)).code == code


def test_the_indexes_of_several_keys_follow_them_and_ascend_each_once() -> None:
    content = sound(response("TCP", "a connection", "data", "UDP", answers=(2, 0, 2))).content
    assert isinstance(content, MultipleResponse)
    assert {content.options[index] for index in content.answers} == {"TCP", "data"}
    assert list(content.answers) == sorted(content.answers)


def matching(*pairs: tuple[str, str], extra: tuple[str, ...] = ()) -> Matching:
    made = tuple(Pair(left=left, right=right) for left, right in pairs)
    return Matching(stem=PORTS_MATCHED.stem, pairs=made, extra_rights=extra)


THREE = (("HTTPS", "443"), ("HTTP", "80"), ("DNS", "53"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (matching(*THREE[:2]), "pair_count"),
        (matching(*((f"left {n}", f"right {n}") for n in range(9))), "pair_count"),
        (matching(*THREE, extra=tuple("abcde")), "pair_count"),
        (matching(*THREE, ("https", "22")), "duplicate_options"),
        (matching(*THREE, ("SSH", "80.")), "duplicate_options"),
        (matching(*THREE, extra=("53",)), "duplicate_options"),
        (matching(*THREE, ("SSH", "\u200b")), "empty_option"),
        (matching(*THREE, ("", "22")), "empty_option"),
        (matching(*THREE, extra=("",)), "empty_option"),
        (matching(*THREE, ("SSH", "none of the above")), "none_of_the_above"),
        (matching(("a) HTTPS", "443"), ("b) HTTP", "80"), ("c) DNS", "53")), "label_in_option"),
        (matching(*THREE, ("SSH", "ssh")), "answer_visible_in_stem"),
        (matching(*THREE, ("x" * (OPTION_CHARACTERS_MAX + 1), "22")), "text_too_long"),
    ],
)
def test_pairs_must_be_apart_and_each_complete(content: Matching, code: str) -> None:
    assert rejected(content, TEXT.splitlines()[-1]).code == code


def test_pairs_stay_together_in_their_new_order() -> None:
    pairs = [("HTTPS", "443"), ("HTTP", "80"), ("DNS", "53"), ("TCP", "before")]
    orders = set()
    for first in range(4):
        content = sound(matching(*pairs[first:], *pairs[:first], extra=("22", "7")), TEXT.splitlines()[-1]).content
        assert isinstance(content, Matching)
        assert {(pair.left, pair.right) for pair in content.pairs} == set(pairs)
        assert content.extra_rights == ("7", "22"), "numbers ascend"
        orders.add(content.pairs)
    assert len(orders) == 1


def test_a_tolerance_can_not_be_below_nothing() -> None:
    assert rejected(NUMBER.model_copy(update={"tolerance": -0.1}), PORTS).code == "tolerance_negative"
    assert sound(NUMBER.model_copy(update={"tolerance": 0.5}), PORTS).flaws == ()


def test_labels_inside_options_are_refused() -> None:
    assert rejected(choice("A) TCP", "B) UDP", "C) DNS")).code == "label_in_option"


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("All of the above", "all_of_the_above"),
        ("None of the above.", "none_of_the_above"),
        ("Both A and B", "complex_k_type"),
    ],
)
def test_options_about_other_options_are_refused(option: str, code: str) -> None:
    rejection = rejected(choice("TCP", "UDP", option))
    assert rejection.code == code
    assert option in rejection.message


def test_the_answer_index_follows_the_options_into_their_new_order() -> None:
    for answer, key in enumerate(CHOICE.options):
        content = sound(choice(*CHOICE.options, answer=answer)).content
        assert isinstance(content, MultipleChoice)
        assert content.options[content.answer] == key
        assert set(content.options) == set(CHOICE.options)


@pytest.mark.parametrize("gap", ["___", "__________", r"\_\_\_\_", "\uff3f\uff3f\uff3f"])
def test_a_gap_of_any_length_becomes_four_underscores(gap: str) -> None:
    content = sound(FillInBlank(stem=f"Before data, {gap} establishes a connection.", answers=("TCP",))).content
    assert isinstance(content, FillInBlank)
    assert content.stem == "Before data, ____ establishes a connection."


@pytest.mark.parametrize("stem", ["TCP establishes a connection.", "Before data, __ establishes a connection."])
def test_a_gap_must_be_visible_in_the_stem(stem: str) -> None:
    assert rejected(FillInBlank(stem=stem, answers=("segments",))).code == "no_blank"


def test_a_gap_needs_a_sentence_around_it() -> None:
    assert rejected(FillInBlank(stem="____.", answers=("TCP",))).code == "empty_text"


@pytest.mark.parametrize("stem", ["TCP is ____.", "With tcp, the ____ opens.", 'The ____ ("TCP") opens a connection.'])
def test_the_answer_must_not_be_visible_beside_the_gap(stem: str) -> None:
    assert rejected(FillInBlank(stem=stem, answers=("the protocol", "TCP"))).code == "answer_visible_in_stem"


@pytest.mark.parametrize("stem", ["____/IP is a protocol suite.", "The suite TCP/IP needs ____ for order."])
def test_a_part_of_a_longer_word_does_not_show_the_answer(stem: str) -> None:
    assert sound(FillInBlank(stem=stem, answers=("TCP",)))


def test_an_answer_is_visible_in_a_script_without_word_spaces() -> None:
    text = "光合作用需要阳光和水。植物吸收二氧化碳。"
    cloze = FillInBlank(stem="光合作用需要____\uff0c阳光很重要。", answers=("阳光",))
    verdict = judge(draft(cloze, "光合作用需要阳光和水。"), source(text, "zh"), [])
    assert isinstance(verdict, Rejection)
    assert verdict.code == "answer_visible_in_stem"


def test_accepted_answers_that_read_the_same_are_kept_once() -> None:
    content = sound(ShortAnswer(stem=SHORT.stem, answers=("TCP", "tcp", " TCP ", "Transmission Control Protocol")))
    assert isinstance(content.content, ShortAnswer)
    assert content.content.answers == ("TCP", "Transmission Control Protocol")


@pytest.mark.parametrize(
    "content",
    [
        TrueFalse(stem=" ", answer=True),
        FillInBlank(stem=CLOZE.stem, answers=()),
        ShortAnswer(stem=SHORT.stem, answers=("TCP", "\u200b")),
        Flashcard(front="", back="x"),
        Flashcard(front="x", back="\n"),
        Vocabulary(term="connection", definition="", example="a connection"),
        Vocabulary(term="connection", definition="a channel", example=""),
    ],
)
def test_no_text_of_a_question_may_be_empty(content: Content) -> None:
    assert rejected(content).code == "empty_text"


def test_a_card_whose_sides_say_the_same_asks_nothing() -> None:
    assert rejected(Flashcard(front="TCP", back="tcp.")).code == "answer_visible_in_stem"
    assert rejected(Vocabulary(term="TCP", definition="TCP", example="x")).code == "answer_visible_in_stem"


@pytest.mark.parametrize("text", ["the \x0crac{a}{b}", "a\x00b", "a\x1bb", "a\x7fb"])
def test_a_control_character_is_sent_back_with_a_hint_at_escaping(text: str) -> None:
    rejection = rejected(TrueFalse(stem=text, answer=True))
    assert rejection.code == "control_characters"
    assert "\\\\" in rejection.message
    assert rejected(STATEMENT, explanation=text).code == "control_characters"


def test_line_ends_and_tabs_are_no_control_characters() -> None:
    question = sound(TrueFalse(stem="TCP does this:\r\n\tit connects before it sends.\n", answer=True))
    assert isinstance(question.content, TrueFalse)
    assert question.content.stem == "TCP does this:\n\tit connects before it sends."


def test_every_text_has_a_limit() -> None:
    assert rejected(TrueFalse(stem="x" * (PASSAGE_CHARACTERS_MAX + 1), answer=True)).code == "text_too_long"
    assert rejected(choice("x" * (OPTION_CHARACTERS_MAX + 1), "a", "b")).code == "text_too_long"
    assert rejected(STATEMENT, explanation="x" * (EXPLANATION_CHARACTERS_MAX + 1)).code == "text_too_long"
    assert sound(TrueFalse(stem="x" * PASSAGE_CHARACTERS_MAX, answer=True))


def test_a_repeat_of_a_taken_question_is_refused_and_names_it() -> None:
    taken = sound(CHOICE).fingerprint
    again = MultipleChoice(stem="What sets up a connection first?", options=("QUIC", "TCP", "IP"), answer=1)
    verdict = judge(draft(again), source(), [taken])
    assert isinstance(verdict, Rejection)
    assert verdict.code == "near_duplicate"
    assert "which protocol establishes a connection" in verdict.message


def test_questions_of_every_type_may_share_one_sentence() -> None:
    taken = [sound(content).fingerprint for content in ALL_TYPES[:-1]]
    assert isinstance(judge(draft(ALL_TYPES[-1]), source(), taken), SoundQuestion)
    for position, content in enumerate(ALL_TYPES):
        others = [sound(other).fingerprint for other in ALL_TYPES[:position]]
        assert isinstance(judge(draft(content), source(), others), SoundQuestion)


def test_a_translated_key_is_not_expected_in_the_words_of_the_module() -> None:
    question = ShortAnswer(stem="Was stellt TCP her, bevor Daten gesendet werden?", answers=("eine Verbindung",))
    in_german, in_english = (judge(draft(question), source(language=language), []) for language in ("de", "en"))
    assert isinstance(in_german, SoundQuestion)
    assert isinstance(in_english, SoundQuestion)
    assert in_german.flaws == ()
    assert in_english.flaws == ("key_not_in_evidence",)


def test_flaws_lower_the_quality_and_never_reject() -> None:
    stem = "According to the text, which is not a reliable thing"
    question = sound(
        MultipleChoice(
            stem=stem, options=("a protocol that never connects to anyone at all", "all", "often TCP"), answer=0
        ),
        "UDP, by contrast, sends datagrams without a connection",
    )
    assert {"refers_to_source_text", "negative_worded_stem", "absolute_terms", "vague_terms"} <= set(question.flaws)
    assert {"unfocused_stem", "longest_answer_correct"} <= set(question.flaws)
    assert question.quality == pytest.approx(max(0, 1 - sum(COST_OF[flaw] for flaw in question.flaws)))
    assert 0 <= question.quality < 0.5


def test_a_question_that_says_too_little_is_only_a_warning() -> None:
    assert sound(ShortAnswer(stem="Reliable protocol?", answers=("TCP",))).flaws == ("stem_too_short",)


def test_what_a_reviewer_needs_travels_along() -> None:
    made = Draft(content=CHOICE, quote=CONNECTION, explanation=" It does.\r\n", tags=("TCP", " TCP", "", "a\x00b"))
    verdict = judge(made, source(), [])
    assert isinstance(verdict, SoundQuestion)
    assert verdict.explanation == "It does."
    assert verdict.tags == ("TCP",)
    assert verdict.cognitive_level == made.cognitive_level


def test_a_question_judged_twice_comes_out_the_same() -> None:
    once = sound(CHOICE)
    again = judge(draft(once.content, once.evidence.quote), source(), [])
    assert again == once


ANY_TEXT = st.text(max_size=40)
ANY_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
ANY_CONTENT = st.one_of(
    st.builds(MultipleChoice, stem=ANY_TEXT, options=st.lists(ANY_TEXT, max_size=7).map(tuple), answer=st.integers()),
    st.builds(
        MultipleChoice,
        stem=ANY_TEXT,
        options=st.lists(ANY_TEXT, min_size=3, max_size=4, unique=True).map(tuple),
        answer=st.integers(0, 2),
    ),
    st.builds(
        MultipleResponse,
        stem=ANY_TEXT,
        options=st.lists(ANY_TEXT, min_size=2, max_size=7).map(tuple),
        answers=st.lists(st.integers(-1, 6), max_size=7).map(tuple),
    ),
    st.builds(
        Matching,
        stem=ANY_TEXT,
        pairs=st.lists(st.builds(Pair, left=ANY_TEXT, right=ANY_TEXT), max_size=9).map(tuple),
        extra_rights=st.lists(ANY_TEXT, max_size=5).map(tuple),
    ),
    st.builds(Numeric, stem=ANY_TEXT, answer=ANY_NUMBER, tolerance=ANY_NUMBER),
    st.builds(TrueFalse, stem=ANY_TEXT, answer=st.booleans()),
    st.builds(FillInBlank, stem=ANY_TEXT.map("____ {}".format), answers=st.lists(ANY_TEXT, max_size=3).map(tuple)),
    st.builds(ShortAnswer, stem=ANY_TEXT, answers=st.lists(ANY_TEXT, max_size=3).map(tuple)),
    st.builds(Flashcard, front=ANY_TEXT, back=ANY_TEXT),
    st.builds(Vocabulary, term=ANY_TEXT, definition=ANY_TEXT, example=ANY_TEXT),
)


@settings(max_examples=300, deadline=None)
@given(content=ANY_CONTENT, quote=ANY_TEXT, text=ANY_TEXT, language=st.sampled_from(["en", "fi-FI", "de", "zh", ""]))
def test_no_text_whatsoever_makes_the_judge_fail(content: Content, quote: str, text: str, language: str) -> None:
    for module in (text, quote):
        verdict = judge(draft(content, quote), source(module, language), [])
        if isinstance(verdict, Rejection):
            assert 0 < len(verdict.message) <= 300
            continue
        assert verdict.evidence.quote == module[verdict.evidence.start : verdict.evidence.end]
        assert 0 <= verdict.quality <= 1
        repeated = judge(draft(content, quote), source(module, language), [verdict.fingerprint])
        assert isinstance(repeated, Rejection)
        assert repeated.code == "near_duplicate"


@pytest.mark.parametrize("content", ALL_TYPES, ids=lambda content: type(content).__name__)
def test_a_lone_surrogate_is_refused_like_any_broken_text(content: Content) -> None:
    first = next(iter(type(content).model_fields))
    broken = content.model_copy(update={first: "broken \ud800 text with a ____ gap"})
    assert judge(Draft.model_construct(content=broken, quote=CONNECTION), source(), []) == Rejection(
        code="control_characters",
        message=f"The {first} holds a control character; in JSON, write a backslash as \\\\.",
    )
