"""Draws that depend on nothing but their names: whoever asks in whatever order gets the same."""

import hashlib
import math
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 2**64


def share(*names: object) -> float:
    """Between 0 and 1, both excluded."""
    digest = hashlib.blake2b("|".join(map(str, names)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / _STEPS


def lognormal(sigma: float, *names: object) -> float:
    """Around a median of 1."""
    return math.exp(sigma * _NORMAL.inv_cdf(share(*names)))
