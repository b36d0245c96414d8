"""A sound SQLite under everything that says `import sqlite3`."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from service.errors import SettingsInvalid
from service.store import sqlite_build


def test_whoever_imports_sqlite_gets_the_sound_one() -> None:
    imported = importlib.import_module("sqlite3")
    assert imported.sqlite_version_info >= sqlite_build.SOUND_FROM
    assert sqlite_build.version() == imported.sqlite_version_info
    sqlite_build.require_sound()


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 51, 2)])
def test_an_sqlite_that_can_corrupt_the_database_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    # A build this old can't be installed beside the sound one.
    monkeypatch.setitem(sys.modules, "sqlite3", SimpleNamespace(sqlite_version_info=version))
    with pytest.raises(SettingsInvalid, match="pip install pysqlite3") as caught:
        sqlite_build.require_sound()
    assert "SQLite " + ".".join(map(str, version)) in str(caught.value)
    assert "QUIZMILL_DATABASE_URL" in str(caught.value)


def test_the_first_sound_version_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    # As above: only its number matters here.
    monkeypatch.setitem(sys.modules, "sqlite3", SimpleNamespace(sqlite_version_info=(3, 51, 3)))
    sqlite_build.require_sound()
