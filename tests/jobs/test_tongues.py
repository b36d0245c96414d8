"""A batch in the wrong language is noticed; a question in the right one is never blamed."""

import pytest

from jobs.tongues import FOREIGN_WORDS_MIN, Ear, code_of, is_foreign

TEXTS = {
    "en": "Which gas do the plants take from the air, and what is it that they give back to it in the light? "
    "Plants take in carbon dioxide because it is the source of the carbon for their sugar.",
    "no": "Hvilken gass tar plantene fra luften, og hva er det de gir tilbake til den når det er lyst? "
    "Plantene tar opp karbondioksid fordi det er kilden til karbonet som sukkeret er laget av.",
    "fi": "Mitä kaasua kasvit ottavat ilmasta, ja mikä on se kaasu, jota ne antavat takaisin, kun on valoa? "
    "Kasvit ottavat hiilidioksidia, koska se on sen hiilen lähde, josta sokeri on tehty.",
    "de": "Welches Gas nehmen die Pflanzen aus der Luft auf, und was geben sie im Licht an die Luft zurück? "
    "Pflanzen nehmen Kohlendioxid auf, weil es die Quelle des Kohlenstoffs für den Zucker ist.",
    "fr": "Quel gaz les plantes prennent-elles dans l'air, et que rendent-elles à l'air quand il y a de la lumière ? "
    "Les plantes absorbent le dioxyde de carbone parce que c'est la source du carbone pour le sucre.",
    "es": "¿Qué gas toman las plantas del aire y qué es lo que le devuelven cuando hay luz? "
    "Las plantas toman dióxido de carbono porque es la fuente del carbono para su azúcar.",
}
OTHERS = [(written, expected) for written in TEXTS for expected in TEXTS if written != expected]
MODEL_ANSWERS_IN_ENGLISH = [
    "Which pigment absorbs the red light?",
    "What is the source of the oxygen?",
    "Where in the cell does the Calvin cycle take place?",
    "Which of the two photosystems is the first in the chain?",
    "What do the stomata let into the leaf?",
]


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_is_not_foreign_in_its_own_language(language: str) -> None:
    assert not is_foreign(TEXTS[language], language)


@pytest.mark.parametrize(("written", "expected"), OTHERS)
def test_a_text_in_another_language_is_foreign(written: str, expected: str) -> None:
    assert is_foreign(TEXTS[written], expected)


@pytest.mark.parametrize("language", ["nb", "nn", "nb-NO", "no"])
def test_both_written_forms_of_norwegian_are_norwegian(language: str) -> None:
    assert not is_foreign(TEXTS["no"], language)
    assert not is_foreign("Kva gass tek plantane opp frå lufta, og kva er det dei gjev att når det er lyst?", language)
    assert code_of(language) == "no"


@pytest.mark.parametrize("language", ["sv", "da", "pl", "ca", "pt-BR", "ja"])
def test_for_other_languages_english_is_foreign(language: str) -> None:
    assert is_foreign(TEXTS["en"], language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Quin gas prenen les plantes de l'aire i què és el que li tornen quan hi ha llum a la planta?", "ca"),
        ("Jaki gaz pobierają rośliny z powietrza i co oddają do niego, kiedy jest jasno?", "pl"),
        ("植物は光の中で空気からどの気体を取り入れ、何を返しますか。", "ja"),
    ],
)
def test_a_language_without_a_list_is_not_mistaken_for_a_neighbour(text: str, language: str) -> None:
    assert not is_foreign(text, language)


def test_another_script_is_foreign_to_latin_letters() -> None:
    russian = "Какой газ растения берут из воздуха и что они возвращают ему на свету?"
    assert is_foreign(russian, "de")
    assert not is_foreign(russian, "ru")
    assert not is_foreign("δ ε ζ η θ λ μ ξ", "de"), "a formula is no language"
    assert not is_foreign(f"{russian} {russian} {TEXTS['de']}", "de"), "a text that quotes is in the quoting language"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ATP, NADPH, CO2, H2O, RuBisCO",
        "Was bewirkt der Befehl git push --force-with-lease?",
        "Wie übersetzt man „the cat is on the mat“ ins Deutsche, und welche Wörter sind das?",
        "SELECT name FROM users WHERE id IN (1, 2) AND age IS NOT NULL",
    ],
)
def test_names_commands_and_short_quotations_are_no_reason(text: str) -> None:
    assert not is_foreign(text, "de")


def test_a_batch_of_short_questions_is_noticed_after_a_sentence_or_two() -> None:
    ear = Ear("de")
    heard = [ear.hears_foreign(text) for text in MODEL_ANSWERS_IN_ENGLISH]
    assert heard == [False, *[True] * 4]


def test_the_first_question_in_the_right_language_passes_after_a_correction() -> None:
    ear = Ear("de")
    for text in MODEL_ANSWERS_IN_ENGLISH * 2:
        ear.hears_foreign(text)
    assert not ear.hears_foreign("Welcher Farbstoff nimmt das rote Licht auf?")
    assert not ear.hears_foreign("Was gelangt durch die Spaltöffnungen in das Blatt?")


def test_one_foreign_question_in_a_batch_is_not_enough() -> None:
    ear = Ear("de")
    assert not ear.hears_foreign(TEXTS["de"])
    assert not ear.hears_foreign(MODEL_ANSWERS_IN_ENGLISH[0])
    assert not ear.hears_foreign(TEXTS["de"])


def test_a_handful_of_words_never_counts_as_a_language() -> None:
    assert not is_foreign(" ".join(["the"] * (FOREIGN_WORDS_MIN - 1)), "de")
    assert is_foreign(" ".join(["the"] * FOREIGN_WORDS_MIN), "de")
