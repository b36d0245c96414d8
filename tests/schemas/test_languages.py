"""Words in the language of a quiz."""

import pytest

from schemas.languages import truth_in


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("True", "False")),
        ("de", ("Richtig", "Falsch")),
        ("de-AT", ("Richtig", "Falsch")),
        ("NB", ("Sant", "Usant")),
        ("ja", ("True", "False")),
        ("", ("True", "False")),
    ],
)
def test_true_and_false_are_said_where_a_language_is_known(language: str, words: tuple[str, str]) -> None:
    assert truth_in(language) == words
