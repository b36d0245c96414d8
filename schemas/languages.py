"""The few words that a question needs in its own language."""

from typing import Final

_TRUTH: Final = {
    "de": ("Richtig", "Falsch"),
    "es": ("Verdadero", "Falso"),
    "fi": ("Oikein", "Väärin"),
    "fr": ("Vrai", "Faux"),
    "no": ("Sant", "Usant"),
    "nb": ("Sant", "Usant"),
    "nn": ("Sant", "Usant"),
}


def truth_in(language: str) -> tuple[str, str]:
    """The words for true and false; English where a language is not known."""
    return _TRUTH.get(language.partition("-")[0].lower(), ("True", "False"))
