"""Puts a sound SQLite under everything that says `import sqlite3`.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that several connections write (sqlite.org/wal.html, "WAL-reset bug"),
and Python ships such builds nearly everywhere. Where that is so, the wheel `pysqlite3` with its own newer SQLite takes
the name; `require_sound` refuses what is left. Must be imported before aiosqlite.
"""

import sqlite3
import sys

from service.errors import SettingsInvalid

SOUND_FROM = (3, 51, 3)

if sqlite3.sqlite_version_info < SOUND_FROM:
    try:
        import pysqlite3
    except ImportError:
        # Only SQLite users need it; require_sound tells them.
        pass
    else:
        sys.modules["sqlite3"] = pysqlite3


def version() -> tuple[int, ...]:
    info: tuple[int, ...] = sys.modules["sqlite3"].sqlite_version_info
    return info


def require_sound() -> None:
    """Raises SettingsInvalid when this Python's SQLite could corrupt a database that several processes write."""
    if version() < SOUND_FROM:
        found = ".".join(map(str, version()))
        raise SettingsInvalid(
            f"SQLite {found} has a bug that can corrupt the database; 3.51.3 or newer is needed."
            " Install it with `pip install pysqlite3`, or set QUIZMILL_DATABASE_URL to a PostgreSQL database."
        )
