"""Each flaw is seen where it is, and only there."""

import pytest

from jobs.flaws import COST_OF, flaws_of, quality_of, shows
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

QUOTE = "TCP, a protocol of the transport layer, delivers an ordered stream of bytes on port 443."


def flaws(content: Content, language: str = "en", quote: str = QUOTE, explanation: str = "") -> set[str]:
    return set(flaws_of(content, explanation=explanation, quote=quote, language=language))


def choice(stem: str, *options: str) -> MultipleChoice:
    return MultipleChoice(stem=stem, options=options or ("TCP", "UDP", "IP"), answer=0)


SOUND: list[Content] = [
    choice("Which protocol delivers an ordered stream?"),
    TrueFalse(stem="TCP delivers an ordered stream of bytes.", answer=True),
    FillInBlank(stem="____ delivers an ordered stream of bytes.", answers=("TCP",)),
    ShortAnswer(stem="Which protocol delivers an ordered stream?", answers=("TCP",)),
    Flashcard(front="TCP", back="It delivers an ordered stream of bytes."),
    Vocabulary(term="stream", definition="a sequence without an end", example="A stream of bytes arrives."),
    MultipleResponse(stem="Which of these does the layer know?", options=("TCP", "bytes", "UDP"), answers=(0, 1)),
    Matching(
        stem="Match each of them with its word.",
        pairs=(
            Pair(left="TCP", right="port 443"),
            Pair(left="stream", right="ordered"),
            Pair(left="layer", right="transport"),
        ),
        extra_rights=("lossy",),
    ),
    Numeric(stem="On which port does it listen?", answer=443, tolerance=0),
]


def response(stem: str, *options: str, keys: int = 2) -> MultipleResponse:
    """The first ones are right."""
    return MultipleResponse(stem=stem, options=options, answers=tuple(range(keys)))


def matching(*pairs: tuple[str, str], stem: str = "Match each of them with its word.") -> Matching:
    made = tuple(Pair(left=left, right=right) for left, right in pairs)
    return Matching(stem=stem, pairs=made, extra_rights=("lossy",))


def number(stem: str = "On which port does it listen?", answer: float = 443, tolerance: float = 0) -> Numeric:
    return Numeric(stem=stem, answer=answer, tolerance=tolerance)


@pytest.mark.parametrize("content", SOUND, ids=lambda content: type(content).__name__)
def test_a_good_question_has_no_flaw(content: Content) -> None:
    assert flaws(content) == set()


@pytest.mark.parametrize(
    ("flaw", "content"),
    [
        ("longest_answer_correct", choice("Which one?", "a protocol that delivers an ordered stream", "UDP", "IP")),
        ("grammatical_cue", choice("A protocol of this kind is an", "ordered one", "fast one", "lossy one")),
        ("grammatical_cue", choice("An address is a ____.", "number", "option", "name")),
        (
            "word_repeats_in_stem_and_key",
            choice("Which layer is for transport of bytes?", "the transport layer", "the link layer", "the core"),
        ),
        (
            "convergence_cue",
            choice("Which one fits here?", "ordered reliable stream", "ordered lossy thing", "reliable packet"),
        ),
        ("answer_visible_in_stem", ShortAnswer(stem="TCP or UDP: which one is ordered?", answers=("TCP",))),
        ("key_not_in_evidence", choice("Which protocol delivers a stream?", "QUIC", "UDP", "IP")),
        ("key_not_in_evidence", FillInBlank(stem="____ delivers an ordered stream.", answers=("Ethernet",))),
        (
            "longest_answer_correct",
            response("Which ones?", "delivers an ordered stream of bytes", "listens on port 443 for TCP", "no", "so"),
        ),
        (
            "word_repeats_in_stem_and_key",
            response("Which are of transport?", "a transport layer", "the transport port", "bytes"),
        ),
        ("convergence_cue", response("Which?", "ordered bytes", "ordered stream of bytes", "lossy stream", "order")),
        ("key_not_in_evidence", response("Which of these does the layer know?", "TCP", "QUIC", "UDP")),
        ("absolute_terms", response("Which of these hold for TCP?", "TCP", "bytes", "never lossy")),
        ("negative_worded_stem", response("Which of these are not ordered?", "TCP", "bytes", "UDP")),
        ("unfocused_stem", response("The things of the layer today", "TCP", "bytes", "UDP")),
        (
            "word_repeats_in_stem_and_key",
            matching(("transport layer", "the transport"), ("TCP", "bytes"), ("stream", "ordered")),
        ),
        ("key_not_in_evidence", matching(("QUIC", "stream"), ("TCP", "bytes"), ("layer", "ordered"))),
        ("key_not_in_evidence", matching(("TCP", "bytes"), ("stream", "ordered"), ("layer", "datagram"))),
        ("absolute_terms", matching(("TCP", "always ordered"), ("stream", "bytes"), ("layer", "transport"))),
        ("vague_terms", matching(("TCP", "often ordered"), ("stream", "bytes"), ("layer", "transport"))),
        (
            "negative_worded_stem",
            matching(("TCP", "a"), ("b", "bytes"), ("c", "d"), stem="Match what does not belong together here."),
        ),
        (
            "refers_to_source_text",
            matching(("TCP", "a"), ("b", "bytes"), ("c", "d"), stem="Match them according to the text."),
        ),
        ("stem_too_short", matching(("a long left of many words", "a"), ("b", "bytes"), ("c", "d"), stem="Match.")),
        ("answer_visible_in_stem", number("Does it listen on port 443 or another one?")),
        ("key_not_in_evidence", number(answer=80)),
        ("wide_tolerance", number(tolerance=250)),
        ("negative_worded_stem", number("Which port is not 80?")),
        ("refers_to_source_text", choice("According to the text, which protocol is ordered?")),
        ("refers_to_source_text", Flashcard(front="What is mentioned in this section about TCP?", back="Its order.")),
        ("stem_too_short", choice("Which protocol?")),
        ("unfocused_stem", choice("The transport layer protocols of today")),
        ("negative_worded_stem", choice("Which protocol is not ordered?")),
        ("negative_worded_stem", TrueFalse(stem="TCP doesn't keep bytes in order.", answer=False)),
        ("absolute_terms", TrueFalse(stem="TCP always delivers every byte.", answer=False)),
        ("absolute_terms", choice("Which protocol delivers a stream?", "TCP", "only UDP", "IP")),
        ("vague_terms", TrueFalse(stem="TCP usually delivers its bytes in order.", answer=True)),
        ("not_a_statement", TrueFalse(stem="Does TCP deliver bytes in order?", answer=True)),
        ("term_in_definition", Vocabulary(term="stream", definition="a stream of bytes", example="A stream arrives.")),
        (
            "term_not_in_example",
            Vocabulary(term="datagram", definition="a message of its own", example="It may be lost."),
        ),
    ],
)
def test_a_flaw_is_seen(flaw: str, content: Content) -> None:
    assert flaw in flaws(content)


@pytest.mark.parametrize(
    ("content", "language", "flaw"),
    [
        (choice("Welches Protokoll ist nicht zuverlässig?"), "de", "negative_worded_stem"),
        (choice("Mikä protokolla ei ole luotettava?"), "fi-FI", "negative_worded_stem"),
        (TrueFalse(stem="TCP liefert die Daten immer geordnet.", answer=True), "de-AT", "absolute_terms"),
        (TrueFalse(stem="TCP toimittaa tavut yleensä järjestyksessä.", answer=True), "fi", "vague_terms"),
        (choice("Mikä protokolla on tekstin mukaan luotettava?"), "fi", "refers_to_source_text"),
        (choice("Welches Protokoll ist laut dem Text zuverlässig?"), "de", "refers_to_source_text"),
    ],
)
def test_german_and_finnish_have_word_lists_too(content: Content, language: str, flaw: str) -> None:
    assert flaw in flaws(content, language)


def test_a_language_without_a_list_is_not_judged_by_another_one_s() -> None:
    assert flaws(TrueFalse(stem="Die Kat het die huis not always gesien.", answer=True), "af") == set()


def test_at_least_is_no_negative() -> None:
    assert flaws(TrueFalse(stem="The stream holds at least 20 bytes here.", answer=True)) == set()
    assert "negative_worded_stem" in flaws(choice("Which protocol is the least ordered one?"))


def test_an_a_that_is_no_article_before_the_answer_gives_nothing_away() -> None:
    assert flaws(choice("The energy of ____ goes to chlorophyll a.", "TCP", "an apple", "UDP")) == set()
    assert flaws(choice("This is a(n) ____ protocol of the layer.", "TCP", "apple", "UDP")) == set()


def test_a_negative_in_capitals_is_how_it_should_be() -> None:
    assert flaws(choice("Which protocol is NOT ordered?")) == set()


def test_a_stem_in_a_script_without_word_spaces_is_not_short_for_that() -> None:
    assert flaws(TrueFalse(stem="光合作用在叶绿体中进行。", answer=True), "zh") == set()
    assert flaws(TrueFalse(stem="光合作用。", answer=True), "zh") == {"stem_too_short"}


def test_an_inflected_term_counts_as_used() -> None:
    word = Vocabulary(
        term="protokolla", definition="sopimus viestinnästä", example="Protokollan mukaan yhteys avataan."
    )
    assert flaws(word, "fi") == set()


def test_a_cue_that_only_one_of_several_keys_has_is_none() -> None:
    question = response("Which are of transport?", "the transport layer", "port 443", "byte streams of any kind")
    assert flaws(question) == set()


def test_a_number_within_the_tolerance_proves_the_answer() -> None:
    assert flaws(number(answer=440, tolerance=5)) == set()
    assert flaws(number(answer=440, tolerance=2)) == {"key_not_in_evidence"}


@pytest.mark.parametrize(
    ("quote", "answer", "language"),
    [
        ("It needs eight photons.", 8, "en-GB"),
        ("Es braucht zwölf Photonen.", 12, "de"),
        ("It travels 200,000 km.", 200_000, "en"),
        ("Es legt 200.000 km zurück.", 200_000, "de-AT"),
        ("The yield is 0.83 here.", 0.83, "en"),
        ("Det er 0,83 her.", 0.83, "no"),
        ("Det trengs syv av dem.", 7, "nb"),
        ("Massen er 1\u00a0200 kg.", 1200, "nn-NO"),
        ("Se on 0,83 tässä.", 0.83, "fi"),
        ("Se tarvitsee kahdeksan fotonia.", 8, "fi"),
        ("La masse est de 1\u202f200,5 kg.", 1200.5, "fr"),
        ("Il en faut douze.", 12, "fr-CA"),
        ("La masa es de 1.200,5 kg.", 1200.5, "es"),
        ("Se necesitan ocho fotones.", 8, "es-MX"),
        ("It fell to \u22125 degrees.", -5, "en"),
        ("About 20% of it.", 20, "en"),
    ],
)
def test_a_number_is_found_as_its_language_writes_it(quote: str, answer: float, language: str) -> None:
    question = number("How many are it of them?", answer)
    assert "key_not_in_evidence" not in flaws(question, language, quote)
    assert "key_not_in_evidence" in flaws(question.model_copy(update={"answer": answer + 1}), language, quote)


def test_an_article_is_no_number() -> None:
    assert "key_not_in_evidence" in flaws(number("Combien y en a-t-il ici ?", 1), "fr", "C'est un gaz.")
    assert "key_not_in_evidence" in flaws(number("Hvor mange er det her?", 1), "no", "Det er en gass.")


def test_any_tolerance_is_narrow_enough_around_nothing() -> None:
    assert "wide_tolerance" not in flaws(number(answer=0, tolerance=3), quote="It is 0 now.")


def test_an_explanation_that_names_a_position_is_seen_since_options_are_reordered() -> None:
    question = SOUND[0]
    assert flaws(question, explanation="Option B is wrong.") == {"explanation_names_position"}
    assert flaws(question, explanation="The second option is wrong.") == {"explanation_names_position"}
    assert flaws(question, explanation="Answering takes a moment. A good answer is TCP.") == set()


def test_quality_falls_with_each_flaw_and_not_below_zero() -> None:
    assert quality_of(()) == 1.0
    assert quality_of(("absolute_terms",)) == 0.9
    assert quality_of(("absolute_terms", "grammatical_cue")) == 0.7
    assert quality_of(tuple(COST_OF)) == 0.0


@pytest.mark.parametrize(
    ("stem", "answer", "is_shown"),
    [
        ("The TCP protocol", "tcp", True),
        ("The (TCP) protocol", "TCP", True),
        ("The TCP/IP protocol", "TCP", False),
        ("All cells divide", "cell", False),
        ("In C++ and C#, but", "C", False),
        ("光合作用需要阳光", "阳光", True),
        ("光合作用需要阳光", "光", False),
    ],
)
def test_an_answer_is_shown_when_it_can_be_read_as_words(stem: str, answer: str, is_shown: bool) -> None:
    assert shows(stem, answer) is is_shown
