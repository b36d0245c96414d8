"""Choices that look random and are the same every time: drawn from the text they are about."""

from collections.abc import Iterable
from hashlib import blake2b


def draw(*parts: str) -> int:
    """A number between 0 and 2**32 - 1 that depends on `parts` alone."""
    return int.from_bytes(blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=4).digest())


def shuffled(texts: Iterable[str], seed: str) -> list[str]:
    return sorted(texts, key=lambda text: draw(seed, text))
