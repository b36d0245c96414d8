"""Which language a text is plainly not written in: told by small words, which running text can't do without."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

FOREIGN_WORDS_MIN = 6
"""Small words of another language before a text counts as written in it: hardly ever in less than a sentence."""

FOREIGN_SHARE_MIN = 0.15
"""Of all words. Running text has 30 to 50 % small words; names, commands and quotations add a few foreign ones."""

FOREIGN_LEAD_MIN = 3
"""How many of them there must be for each small word of the language that is expected."""

WINDOW_CHARACTERS = 200
"""Of what came before, as much is looked at beside the newest text."""

MODULE_CHARACTERS = 4000
MODULES_MAX = 32
PAIRS_MAX = 256
SCRIPT_LETTERS_MIN = 40
SCRIPT_SHARE_MIN = 0.8

# Finnish says with endings what other languages say with small words, so it has half as many.
_WEIGHT_OF = {"fi": 2}
_SMALL_WORDS = {
    "en": "the of and to in is a that it for on are as with by this which be or was from at an not can what when how "
    "does do its their they has have been were than into between these if but during there where who why most each "
    "because will would one",
    "no": "og i er det som en et på av til for med den de ikke at om har fra kan ved hva hvilken hvilket hvilke hvor "
    "hvordan når blir ble seg eller men ein eit ikkje dei frå kva korleis vert også etter mellom dette denne disse "
    "var skal enn hvem hvorfor å noe brukes",
    "sv": "och i är det som en ett på av till för med den de inte att om har från kan vid vad vilken vilket vilka hur "
    "när blir sig eller men också efter mellan detta denna dessa var ska än vem varför",
    "da": "og i er det som en et på af til for med den de ikke at om har fra kan ved hvad hvilken hvilket hvilke hvor "
    "hvordan når bliver sig eller men også efter mellem dette denne disse var skal end hvem hvorfor",
    "fi": "ja on ei että se mikä joka jonka joita kun tai ovat sen mitä miten missä kuin niin mutta myös hän ne sekä "
    "voi oli ole jos vain mille millä millainen kuinka tämä nämä tämän siitä jotka jossa jolla vaan kuka miksi "
    "voidaan jotta joten sitä niiden mukaan välillä milloin minkä",
    "de": "der die das und ist in von zu den mit im für auf ein eine des dem nicht sich als auch wird werden wie was "
    "welche welcher welches bei durch aus nach einer einem einen es an zum zur oder sind kann wenn dass um hat am über "
    "zwischen diese dieser dieses wurde vor wo wer warum haben können war",
    "nl": "de het een en van in is op te dat die voor met zijn niet aan door om er als bij ook wordt worden naar uit "
    "kan of welke wat hoe tussen deze dit wanneer waar wie waarom",
    "fr": "le la les de des du et est un une dans en que qui pour par sur au aux ce cette ces pas ne se il elle sont "
    "avec plus ou son sa ses quel quelle quels quelles comment où quand être peut entre leur leurs à a été dont si "
    "mais ont pourquoi comme qu",
    "es": "el la los las de del y en que es un una por con para se su sus al lo como más no son qué cuál cuáles cómo "
    "cuándo dónde este esta estos estas entre o pero si ha fue ser está puede hay sobre cada desde hasta quién porque",
    "it": "il lo la i gli le di del della dei delle e è un una che in per con non si da al alla nel nella sono come "
    "più ma o quale quali cosa dove quando questo questa tra ha essere può",
    "pt": "o a os as de do da dos das e é um uma que em para por com não se no na nos nas ao à são como mais mas ou "
    "qual quais onde quando este esta entre foi ser está pode seu sua",
}
_WORDS_OF = {code: frozenset(words.split()) for code, words in _SMALL_WORDS.items()}
_ALL_SMALL_WORDS = frozenset().union(*_WORDS_OF.values())
# Two written forms of one language, which a few sentences don't tell apart.
_WRITTEN_AS = {"nb": "no", "nn": "no"}
_WORD = re.compile(r"[^\W\d_]+")
_BEYOND_LATIN = re.compile("[\u0250-\U0010ffff]")


class Ear:
    """Listens to what is written for one batch, text by text.

    A single question is too short to tell its language. So one is foreign only when the newest texts together plainly
    are, and it leans that way itself: after a correction, the first one in the right language passes.
    """

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._before = ""

    def hears_foreign(self, text: str) -> bool:
        heard = f"{self._before}\n{text}"
        self._before = heard[-WINDOW_CHARACTERS:]
        return is_foreign(heard, self._expected) and not _may_be_at_home(text, self._expected)


def is_foreign(text: str, expected: str) -> bool:
    """Whether a text is plainly in another language than expected (BCP 47): False in any doubt.

    Of languages without a list of small words it is only told whether a text is English instead: that is what models
    fall back to.
    """
    home = code_of(expected)
    words = _WORD.findall(text.lower())
    small = _small(words)
    least = max(FOREIGN_WORDS_MIN, FOREIGN_SHARE_MIN * len(words))
    for code in _others(home):
        count = _count(small, code, without=home)
        if count >= least and count >= FOREIGN_LEAD_MIN * _count(small, home, without=code):
            return True
    return home in _WORDS_OF and _is_in_another_script(text)


@lru_cache(maxsize=MODULES_MAX)
def is_foreign_module(text: str, expected: str) -> bool:
    """The same of a whole module, by its beginning: its questions are then translated, its quotes are not."""
    return is_foreign(text[:MODULE_CHARACTERS], expected)


def code_of(language: str) -> str:
    """`de` of `de-AT`; `no` of both written forms of Norwegian."""
    base = language.replace("_", "-").partition("-")[0].lower()
    return _WRITTEN_AS.get(base, base)


def _may_be_at_home(text: str, expected: str) -> bool:
    """Whether it has no more small words of any other language than of the expected one."""
    home = code_of(expected)
    small = _small(_WORD.findall(text.lower()))
    return all(_count(small, code, without=home) <= _count(small, home, without=code) for code in _others(home))


def _small(words: Iterable[str]) -> Counter[str]:
    return Counter(filter(_ALL_SMALL_WORDS.__contains__, words))


def _others(home: str) -> Iterator[str]:
    """The languages that one is told from."""
    return (code for code in (_WORDS_OF if home in _WORDS_OF else ("en",)) if code != home)


def _count(small: Counter[str], code: str, *, without: str) -> int:
    """How many of the words are one language's and not the other's."""
    alone = small.keys() & _alone(code, without)
    return _WEIGHT_OF.get(code, 1) * sum(map(small.__getitem__, alone))


@lru_cache(maxsize=PAIRS_MAX)
def _alone(code: str, without: str) -> frozenset[str]:
    return _WORDS_OF.get(code, frozenset()) - _WORDS_OF.get(without, frozenset())


def _is_in_another_script(text: str) -> bool:
    """All languages with a list are written in Latin letters."""
    others = sum(map(str.isalpha, _BEYOND_LATIN.findall(text)))
    return others >= SCRIPT_LETTERS_MIN and others >= SCRIPT_SHARE_MIN * sum(map(str.isalpha, text))
