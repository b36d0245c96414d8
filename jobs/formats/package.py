"""Zip packages from strangers: bounded before and while they are unpacked, in memory only."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Sequence

from jobs.formats.base import UnreadableMaterial

UNPACKED_BYTES_MAX = 100 * 1024 * 1024
ENTRIES_MAX = 2000
RATIO_MAX = 100
# Below this size even a blank picture may be packed as tightly as it likes.
RATIO_COUNTS_FROM_BYTES = 1024 * 1024
LOCAL_HEADER_BYTES = 30

_DEFINITION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ENTITY = re.compile(rb"<!\s*ENTITY", re.IGNORECASE)


class Package:
    """A zip file whose directory was found sound. Its names are only names: nothing is ever written anywhere."""

    def __init__(self, content: bytes) -> None:
        """Raises UnreadableMaterial."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OverflowError) as error:
            raise UnreadableMaterial("it is damaged or was not uploaded to its end") from error
        self._entries = {entry.filename: entry for entry in self._zip.infolist()}
        self._left = UNPACKED_BYTES_MAX
        _require_bounds(self._zip.infolist())

    @property
    def names(self) -> list[str]:
        """Of the files, in the package's order."""
        return [name for name, entry in self._entries.items() if not entry.is_dir() and not _is_link(entry)]

    def has(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """What all reads together unpack is bounded. Raises UnreadableMaterial."""
        entry = self._entries.get(name)
        if entry is None:
            raise UnreadableMaterial(f"its part {name} is missing")
        try:
            with self._zip.open(entry) as file:
                content = file.read(self._left + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise UnreadableMaterial(f"its part {name} is damaged") from error
        self._left -= len(content)
        if self._left < 0:
            raise UnreadableMaterial(_TOO_LARGE)
        return content

    def require_no_definitions(self, suffixes: tuple[str, ...], *, allow_doctype: bool = False) -> None:
        """XML that defines entities can swell without end or name other files. Raises UnreadableMaterial."""
        pattern = _ENTITY if allow_doctype else _DEFINITION
        for name in self.names:
            # Without its zero bytes UTF-16 reads as ASCII.
            if name.lower().endswith(suffixes) and pattern.search(self.read(name).replace(b"\0", b"")):
                raise UnreadableMaterial(f"its part {name} holds definitions of entities, which such files never need")


_TOO_LARGE = f"it unpacks to more than {UNPACKED_BYTES_MAX // (1024 * 1024)} MB"


def _require_bounds(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES_MAX:
        raise UnreadableMaterial(f"it holds {len(entries):,} files: at most {ENTRIES_MAX:,} are read")
    if len({entry.filename for entry in entries}) < len(entries):
        raise UnreadableMaterial("it holds two files of the same name")
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableMaterial("it is protected with a password; upload it without one")
    if sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX or any(map(_is_swollen, entries)):
        raise UnreadableMaterial(_TOO_LARGE)
    if _overlap(entries):
        raise UnreadableMaterial("its files lie on top of each other")


def _is_swollen(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > RATIO_COUNTS_FROM_BYTES and entry.file_size > RATIO_MAX * max(entry.compress_size, 1)


def _overlap(entries: Iterable[zipfile.ZipInfo]) -> bool:
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            return True
        end = entry.header_offset + LOCAL_HEADER_BYTES + entry.compress_size
    return False


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)
