"""What a form of ours holds: the values a user sent, or the defaults on a fresh page."""

from collections.abc import Mapping, Sequence

from schemas.base import Frozen


class Limits(Frozen):
    """What the forms tell people they may ask for."""

    upload_mb_max: int
    questions_per_batch_max: int
    batches_per_generation_max: int
    costs_money: bool = False
    can_see: bool = False


class Filled:
    """A form's values by name. Nothing sent yet (an empty form) is different from nothing chosen."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def one(self, name: str, default: str = "") -> str:
        return next(iter(self._values.get(name, ())), default)

    def many(self, name: str, default: Sequence[str]) -> Sequence[str]:
        return self._values.get(name, []) if self._values else default


LANGUAGES = {
    "en": "English",
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hu": "Magyar",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
