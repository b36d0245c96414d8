"""The search for a question that asks the same as one that is there already (DESIGN 6)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from rapidfuzz import fuzz, process

from schemas.questions import Fingerprint
from schemas.states import QuestionType

SIMILARITY_MIN = 85


class Taken:
    """What a quiz asks already: each question is sorted in once, by its type, however many are compared with it.

    `duplicate_of` finds in it what it finds in a list, without a look at every question of the quiz.
    """

    def __init__(self, fingerprints: Iterable[Fingerprint] = (), *, beside: "Taken | None" = None) -> None:
        """`beside`: what counts as taken too, also what is added to it later."""
        self._of_type: defaultdict[str, _Rivals] = defaultdict(_Rivals)
        self._beside = beside
        self.extend(fingerprints)

    def __iter__(self) -> Iterator[Fingerprint]:
        """Type by type; those of one type in the order they came."""
        own = chain.from_iterable(rivals.fingerprints for rivals in self._of_type.values())
        return own if self._beside is None else chain(self._beside, own)

    def append(self, fingerprint: Fingerprint) -> None:
        self._of_type[_prefix_of(fingerprint)].append(fingerprint)

    def extend(self, fingerprints: Iterable[Fingerprint]) -> None:
        for fingerprint in fingerprints:
            self.append(fingerprint)

    def twin_of(self, fingerprint: Fingerprint) -> Fingerprint | None:
        rivals = self._of_type.get(_prefix_of(fingerprint))
        own = rivals.twin_of(fingerprint) if rivals else None
        return own or (self._beside.twin_of(fingerprint) if self._beside else None)


def duplicate_of(fingerprint: Fingerprint, taken: Iterable[Fingerprint]) -> Fingerprint | None:
    """The question among those taken that asks the same, if any.

    Same: of one type, and the same key on overlapping evidence, or stem and key at least 85 % alike. A vocabulary
    term is the same wherever it is proved: a list holds each term once.
    """
    if isinstance(taken, Taken):
        return taken.twin_of(fingerprint)
    prefix = _prefix_of(fingerprint)
    return _Rivals([other for other in taken if other.key.startswith(prefix)]).twin_of(fingerprint)


class _Rivals:
    """Of one type. What is compared is copied into lists: a search of a list of texts is many times faster."""

    def __init__(self, fingerprints: Sequence[Fingerprint] = ()) -> None:
        self.fingerprints = list(fingerprints)
        self._keys = [fingerprint.key for fingerprint in fingerprints]
        self._texts = [fingerprint.text for fingerprint in fingerprints]

    def append(self, fingerprint: Fingerprint) -> None:
        self.fingerprints.append(fingerprint)
        self._keys.append(fingerprint.key)
        self._texts.append(fingerprint.text)

    def twin_of(self, fingerprint: Fingerprint) -> Fingerprint | None:
        return self._with_same_key(fingerprint) or self._alike(fingerprint)

    def _with_same_key(self, fingerprint: Fingerprint) -> Fingerprint | None:
        if fingerprint.key not in self._keys:
            return None
        is_vocabulary = _prefix_of(fingerprint) == f"{QuestionType.VOCABULARY}:"
        same = (other for other in self.fingerprints if other.key == fingerprint.key)
        return next((other for other in same if is_vocabulary or _overlap(fingerprint, other)), None)

    def _alike(self, fingerprint: Fingerprint) -> Fingerprint | None:
        closest = process.extractOne(fingerprint.text, self._texts, scorer=fuzz.ratio, score_cutoff=SIMILARITY_MIN)
        return self.fingerprints[closest[2]] if closest else None


def _prefix_of(fingerprint: Fingerprint) -> str:
    return fingerprint.key.partition(":")[0] + ":"


def _overlap(one: Fingerprint, other: Fingerprint) -> bool:
    return one.module_id == other.module_id and one.start < other.end and other.start < one.end
