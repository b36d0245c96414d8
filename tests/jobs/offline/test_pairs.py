"""Matching questions: every pair is a definition of the module, and nothing gives one away."""

from jobs.offline.analysis import Analysis
from jobs.offline.definitions import Definition
from jobs.offline.generator import Wish, drafts
from schemas.questions import Draft, Matching
from schemas.states import QuestionType
from tests.jobs.offline.reading import drafted, never


def matchings(analysis: Analysis) -> list[tuple[Draft, Matching]]:
    found = drafts(analysis, Wish(QuestionType.MATCHING), never)
    return [(draft, draft.content) for draft in found if isinstance(draft.content, Matching)]


def by_term(analysis: Analysis) -> dict[str, Definition]:
    return {definition.key: definition for definition in analysis.definitions}


def test_each_pair_is_a_definition_that_the_quote_holds(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis, count in ((photosynthesis, 12), (networks, 5)):
        found = matchings(analysis)
        assert len(found) >= count
        for draft, matching in found:
            assert 3 <= len(matching.pairs) <= 4
            for pair in matching.pairs:
                definition = by_term(analysis)[pair.left.casefold()]
                assert pair.right.casefold() == definition.body.casefold()
                assert definition.statement.sentence.quote in draft.quote


def test_no_term_is_matched_twice(photosynthesis: Analysis) -> None:
    lefts = [pair.left for _, matching in matchings(photosynthesis) for pair in matching.pairs]
    assert len(lefts) == len(set(lefts))


def test_one_right_is_left_over_and_describes_something_else(photosynthesis: Analysis) -> None:
    bodies = {definition.body.casefold() for definition in photosynthesis.definitions}
    for _, matching in matchings(photosynthesis):
        [extra] = matching.extra_rights
        assert extra.casefold() in bodies
        assert extra not in {pair.right for pair in matching.pairs}


def test_no_description_holds_a_word_of_its_term(photosynthesis: Analysis) -> None:
    for _, matching in matchings(photosynthesis):
        for pair in matching.pairs:
            words = {word for word in pair.left.casefold().replace("-", " ").split() if len(word) > 3}
            assert words.isdisjoint(pair.right.casefold().replace("-", " ").split())


def test_singular_and_plural_are_not_mixed(photosynthesis: Analysis) -> None:
    for _, matching in matchings(photosynthesis):
        assert len({by_term(photosynthesis)[pair.left.casefold()].is_plural for pair in matching.pairs}) == 1


def test_too_few_definitions_make_no_question_instead_of_a_thin_one() -> None:
    text = (
        "A granum is a stack of thylakoids that resembles a pile of coins. "
        "The cuticle is a waxy layer that protects the surface from drying out."
    )
    assert drafted(text, QuestionType.MATCHING) == []
    assert drafted("The leaf is green and the root is white in the spring.", QuestionType.MATCHING) == []


def test_german_terms_are_matched_in_german(networks: Analysis) -> None:
    stems = {matching.stem for _, matching in matchings(networks)}
    assert stems == {"Ordne jedem Begriff seine Beschreibung zu."}
