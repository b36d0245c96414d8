"""Multiple response: what is marked right is what the module says, and what is marked wrong is not."""

from collections import Counter

from jobs.offline.analysis import Analysis
from jobs.offline.generator import Wish, drafts
from schemas.questions import Draft, MultipleResponse
from schemas.states import QuestionType
from tests.jobs.offline.reading import drafted, never


def responses(analysis: Analysis) -> list[tuple[Draft, MultipleResponse]]:
    found = drafts(analysis, Wish(QuestionType.MULTIPLE_RESPONSE), never)
    return [(draft, draft.content) for draft in found if isinstance(draft.content, MultipleResponse)]


def test_right_options_are_definitions_and_wrong_ones_belong_to_something_else(
    photosynthesis: Analysis, networks: Analysis
) -> None:
    for analysis, count in ((photosynthesis, 12), (networks, 5)):
        bodies = {definition.key: definition.body for definition in analysis.definitions}
        found = responses(analysis)
        assert len(found) >= count
        for _, response in found:
            for place, option in enumerate(response.options):
                holders = [term for term, body in bodies.items() if option.endswith(f" {body}.")]
                names = [term for term in holders if term in option.removesuffix(f"{bodies[term]}.").casefold()]
                assert holders
                assert bool(names) is (place in response.answers), option


def test_at_least_two_are_right_and_one_is_wrong_but_not_always_as_many(photosynthesis: Analysis) -> None:
    counts = Counter((len(response.answers), len(response.options)) for _, response in responses(photosynthesis))
    assert all(2 <= right < options for right, options in counts)
    assert len(counts) == 3


def test_no_description_comes_twice_in_one_question(photosynthesis: Analysis, networks: Analysis) -> None:
    for analysis in (photosynthesis, networks):
        bodies = [definition.body for definition in analysis.definitions]
        for _, response in responses(analysis):
            ends = [body for option in response.options for body in bodies if option.endswith(f" {body}.")]
            assert len(ends) == len(set(ends)) == len(response.options)


def test_the_quote_proves_every_option_and_the_explanation_says_what_was_exchanged(
    photosynthesis: Analysis, networks: Analysis
) -> None:
    for analysis in (photosynthesis, networks):
        definitions = {definition.key: definition for definition in analysis.definitions}
        for draft, response in responses(analysis):
            terms = response.stem.partition(": ")[2].rstrip("?").split(", ")
            assert all(definitions[term.casefold()].statement.sentence.quote in draft.quote for term in terms)
            wrong = len(response.options) - len(response.answers)
            remark = "is given the description of" if analysis is photosynthesis else "steht die Beschreibung von"
            assert draft.explanation.count(remark) == wrong


def test_every_stem_names_its_terms_so_that_no_two_are_alike(photosynthesis: Analysis) -> None:
    stems = [response.stem for _, response in responses(photosynthesis)]
    assert len(stems) == len(set(stems))
    assert "Which of these definitions are correct: photosynthesis, autotroph, heterotroph?" in stems


def test_definitions_of_which_none_could_be_taken_for_another_make_no_question() -> None:
    text = (
        "A granum is a stack of thylakoids that resembles coins. "
        "The cuticle is a waxy layer that protects the surface of every leaf from drying out in the hot sun of noon. "
        "Stomata are microscopic pores in the epidermis that allow gas exchange with the air."
    )
    assert drafted(text, QuestionType.MULTIPLE_RESPONSE) == []
