"""Wrong answers are of the same make as the key, wrong, and the same every time."""

from jobs.offline.analysis import Analysis
from jobs.offline.distractors import WANTED, Distractors
from jobs.offline.gaps import TermGap, term_gaps
from jobs.offline.terms import Shape


def gap_at(analysis: Analysis, key: str, opening: str) -> TermGap:
    return next(
        gap for gap in term_gaps(analysis) if gap.key.lower() == key.lower() and gap.statement.text.startswith(opening)
    )


def test_an_abbreviation_is_mixed_up_with_abbreviations(photosynthesis: Analysis) -> None:
    gap = gap_at(photosynthesis, "RuBP", "In the regeneration phase")
    terms = photosynthesis.lexicon.terms
    wrong = Distractors(photosynthesis).for_gap(gap)
    assert len(wrong) == WANTED
    assert all(terms[text.casefold()].shape is Shape.ACRONYM for text in wrong)


def test_a_person_is_mixed_up_with_persons(photosynthesis: Analysis) -> None:
    gap = gap_at(photosynthesis, "Daniel Arnon", "Daniel Arnon")
    wrong = Distractors(photosynthesis).for_gap(gap)
    assert len(wrong) == WANTED
    assert all(len(text.split()) >= 2 and text.istitle() for text in wrong)


def test_wrong_terms_have_the_number_of_the_key_and_are_not_in_the_sentence(photosynthesis: Analysis) -> None:
    distractors = Distractors(photosynthesis)
    terms = photosynthesis.lexicon.terms
    for gap in term_gaps(photosynthesis):
        tokens = gap.statement.tokens
        around = {token.lower for token in (*tokens[: gap.first], *tokens[gap.last + 1 :])}
        for text in distractors.for_gap(gap):
            assert terms[text.casefold()].is_plural == gap.term.is_plural
            assert around.isdisjoint(terms[text.casefold()].words)


def test_a_german_article_fits_every_option(networks: Analysis) -> None:
    distractors = Distractors(networks)
    terms = networks.lexicon.terms
    count = 0
    for gap in term_gaps(networks):
        if gap.mention.frame in {"ein", "eine", "das"} and gap.term.gender and not gap.term.is_plural:
            wrong = distractors.for_gap(gap)
            count += len(wrong)
            assert all(terms[text.casefold()].gender == gap.term.gender for text in wrong)
    assert count > 0


def test_what_something_is_a_kind_of_is_no_wrong_answer(photosynthesis: Analysis) -> None:
    gap = gap_at(photosynthesis, "ATP synthase", "ATP synthase is an enzyme")
    assert "enzyme" not in Distractors(photosynthesis).for_gap(gap)


def test_a_term_and_its_abbreviation_never_compete(photosynthesis: Analysis) -> None:
    distractors = Distractors(photosynthesis)
    long_forms = {acronym.short: acronym.expansion for acronym in photosynthesis.acronyms}
    for definition in photosynthesis.definitions:
        options = {text.casefold() for text in distractors.for_definition(definition)}
        assert long_forms.get(definition.term, "-").casefold() not in options
        assert definition.term.casefold() not in options


def test_other_descriptions_are_about_as_long(photosynthesis: Analysis) -> None:
    distractors = Distractors(photosynthesis)
    for definition in photosynthesis.definitions:
        for body in distractors.bodies_for(definition):
            assert body != definition.body
            assert len(body) >= 0.75 * len(definition.body)


def test_the_draw_is_the_same_every_time(photosynthesis: Analysis) -> None:
    once, again = (
        [Distractors(photosynthesis).for_gap(gap) for gap in list(term_gaps(photosynthesis))[:40]] for _ in range(2)
    )
    assert once == again
