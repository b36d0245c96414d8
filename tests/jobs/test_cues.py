"""The word lists of each language: what they catch, and what only looks like it."""

import pytest

from jobs import cues

ABSOLUTE = [
    ("en", "Bacteria always divide."),
    ("no", "Bakterier deler seg alltid."),
    ("nn", "Det er berre bakteriar som deler seg."),
    ("fi", "Bakteerit jakautuvat aina."),
    ("de", "Bakterien teilen sich immer."),
    ("fr", "Les bactéries se divisent toujours."),
    ("es", "Las bacterias siempre se dividen."),
]
NOT_ABSOLUTE = [
    ("en", "The file is read-only and overall not only large, above all it is old at all costs."),
    ("no", "Loven gjelder ikke bare for gasser."),
    ("fi", "Laki ei vain kuvaa kaasuja, vaan myös nesteitä; ainakin osin."),
    ("de", "Das Gas dehnt sich immer noch aus, nicht nur bei Wärme, sondern vor allem unter Druck."),
    ("fr", "La loi vaut non seulement pour les gaz, et surtout pour tout liquide."),
    ("es", "La ley vale no solo para un solo gas; cada vez más y sobre todo."),
]
VAGUE = [
    ("en", "Bacteria usually divide."),
    ("nb", "Bakterier deler seg vanligvis."),
    ("fi", "Bakteerit saattavat jakautua."),
    ("de", "Bakterien teilen sich in der Regel."),
    ("fr", "Les bactéries se divisent généralement."),
    ("es", "Las bacterias suelen dividirse."),
]
NOT_VAGUE = [
    ("en", "The war ended on 8 May 1945."),
    ("no", "En sjelden gass."),
    ("fi", "Tavallinen kaasu."),
    ("de", "Seltene Erden und die häufigste Ursache."),
    ("fr", "Le général en chef."),
    ("es", "La ley general del menudo grano."),
]
NEGATIVE = [
    ("en", "Which gas is not noble?"),
    ("no", "Hvilken gass er ikke edel?"),
    ("nn", "Kva gass er ikkje edel?"),
    ("no", "Alle gasser unntatt hvilken er edle?"),
    ("fi", "Mikä kaasu ei ole jalo?"),
    ("de", "Welches Gas ist kein Edelgas?"),
    ("fr", "Quel gaz n'est pas noble ?"),
    ("fr", "Quel gaz ne réagit jamais ?"),
    ("fr", "Tous ces gaz sont nobles, sauf lequel ?"),
    ("es", "¿Qué gas no es noble?"),
    ("es", "¿Cuál es el gas menos denso, el menos probable?"),
]
NOT_NEGATIVE = [
    ("en", "What holds at least 20 litres, and not only of gas?"),
    ("en", "Which gas is NOT noble?"),
    ("no", "Hva gjelder ikke bare for gasser, men minst like mye for væsker?"),
    ("no", "Hvilken gass er IKKE edel?"),
    ("fi", "Mikä laki ei ainoastaan kuvaa kaasuja vaan vähintään myös nesteitä?"),
    ("fi", "Mikä kaasu EI ole jalo?"),
    ("de", "Was gilt nicht nur für Gase, sondern außerdem für mindestens eine Flüssigkeit?"),
    ("de", "Welches Gas ist NICHT edel?"),
    ("fr", "Quelle loi ne vaut pas seulement pour les gaz, mais au moins pour un liquide ?"),
    ("fr", "Quel gaz n'est PAS noble ?"),
    ("fr", "Combien de pas fait-il ?"),
    ("es", "¿Qué ley no solo vale para gases, sino al menos para un líquido a salvo?"),
    ("es", "¿Qué gas NO es noble?"),
]
REFERRING = [
    "According to the passage, what is a gas?",
    "Hva er en gass ifølge teksten?",
    "Kva er ein gass i følgje denne artikkelen?",
    "Mikä on kaasu luennon mukaan?",
    "Was ist laut dem Kapitel ein Gas?",
    "Selon le texte, qu'est-ce qu'un gaz ?",
    "D\u2019après l\u2019auteur, qu'est-ce qu'un gaz ?",
    "Según el texto, ¿qué es un gas?",
    "¿Qué se dice en este capítulo sobre los gases?",
]
NOT_REFERRING = [
    "According to the law of Ohm, what rises?",
    "Hva skjer ifølge Newton i en kontekst?",
    "Mitä tapahtuu Newtonin lain mukaan?",
    "Was gilt laut dem ohmschen Gesetz im Kontext?",
    "Selon la loi d'Ohm, que se passe-t-il dans le contexte ?",
    "Selon le cours du dollar, que vaut l'euro ?",
    "Según la ley de Ohm, ¿qué ocurre en el contexto?",
]
POSITIONED = [
    "Option B is wrong.",
    "The second answer is wrong.",
    "Alternativ B er feil.",
    "Det andre svaret er feil.",
    "Vaihtoehto C on väärä.",
    "Toinen vaihtoehto on väärä.",
    "Antwort A ist falsch.",
    "La réponse B est fausse.",
    "La deuxième proposition est fausse.",
    "La opción D es falsa.",
    "La tercera respuesta es falsa.",
]
NOT_POSITIONED = [
    "A good answer is TCP.",
    "Et svar er riktig.",
    "Une réponse adéquate est TCP.",
    "La opción adecuada es TCP.",
    "Die Antwort ist TCP.",
]


@pytest.mark.parametrize(("language", "text"), ABSOLUTE)
def test_an_absolute_term_is_seen(language: str, text: str) -> None:
    assert cues.has_absolute_term(text, language)


@pytest.mark.parametrize(("language", "text"), NOT_ABSOLUTE)
def test_a_word_that_only_looks_absolute_is_left_alone(language: str, text: str) -> None:
    assert not cues.has_absolute_term(text, language)


@pytest.mark.parametrize(("language", "text"), VAGUE)
def test_a_vague_term_is_seen(language: str, text: str) -> None:
    assert cues.has_vague_term(text, language)


@pytest.mark.parametrize(("language", "text"), NOT_VAGUE)
def test_a_word_that_only_looks_vague_is_left_alone(language: str, text: str) -> None:
    assert not cues.has_vague_term(text, language)


@pytest.mark.parametrize(("language", "stem"), NEGATIVE)
def test_a_negative_stem_is_seen(language: str, stem: str) -> None:
    assert cues.is_negative(stem, language)


@pytest.mark.parametrize(("language", "stem"), NOT_NEGATIVE)
def test_not_only_at_least_and_capitals_are_no_hidden_negatives(language: str, stem: str) -> None:
    assert not cues.is_negative(stem, language)


@pytest.mark.parametrize("stem", REFERRING)
def test_a_stem_that_refers_to_the_text_is_seen_in_any_language(stem: str) -> None:
    assert cues.refers_to_source(stem)


@pytest.mark.parametrize("stem", NOT_REFERRING)
def test_a_law_or_a_person_is_not_the_text(stem: str) -> None:
    assert not cues.refers_to_source(stem)


@pytest.mark.parametrize("explanation", POSITIONED)
def test_an_explanation_that_names_a_position_is_seen_in_any_language(explanation: str) -> None:
    assert cues.names_position(explanation)


@pytest.mark.parametrize("explanation", NOT_POSITIONED)
def test_an_answer_without_a_letter_has_no_position(explanation: str) -> None:
    assert not cues.names_position(explanation)


@pytest.mark.parametrize(
    ("language", "stem", "options"),
    [
        ("en", "It is an ____.", ("enzyme", "hormone", "virus")),
        ("fr", "On l'appelle l'____.", ("enzyme", "hormone", "virus")),
        ("fr", "Il sécrète le", ("mucus", "acide", "suc")),
        ("es", "Se llama la ____.", ("célula", "núcleo", "enzima")),
    ],
)
def test_an_article_that_fits_few_options_is_seen(language: str, stem: str, options: tuple[str, ...]) -> None:
    assert cues.article_fits_few(stem, options, language)


@pytest.mark.parametrize(
    ("language", "stem", "options"),
    [
        ("en", "It is an ____.", ("enzyme", "organ", "acid")),
        ("en", "It is a(n) ____.", ("enzyme", "hormone", "virus")),
        ("fr", "On l'appelle l'____.", ("enzyme", "acide", "hormone")),
        ("fr", "Quelle est l'enzyme de l'estomac ?", ("pepsine", "amylase", "lipase")),
        ("es", "Se llama la ____.", ("célula", "proteína", "enzima")),
        ("de", "Das ist ein ____.", ("Enzym", "Hormon", "Virus")),
        ("no", "Dette er et ____.", ("enzym", "hormon", "virus")),
    ],
)
def test_an_article_that_fits_all_options_gives_nothing_away(
    language: str, stem: str, options: tuple[str, ...]
) -> None:
    assert not cues.article_fits_few(stem, options, language)


def test_a_language_without_lists_is_not_judged_by_another_one_s() -> None:
    assert not cues.has_absolute_term("always immer toujours", "sv")
    assert not cues.is_negative("not nicht pas", "sv")
