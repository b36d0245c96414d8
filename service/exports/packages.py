"""Writes zip files that are the same for the same content: no clock, no order but the given one."""

import io
import zipfile
from collections.abc import Mapping
from typing import Final

EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
UNIX: Final = 3
READABLE: Final = 0o644 << 16


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files by name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, UNIX, READABLE
            package.writestr(entry, content)
    return written.getvalue()
