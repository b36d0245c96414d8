"""One `quizmill up` per data directory: a lock that the system lets go of when its process dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from service.errors import SettingsInvalid

NAME = "up.lock"


@contextmanager
def held(data_dir: Path) -> Iterator[TextIO]:
    """Raises SettingsInvalid, naming who has it, when another `up` works in this directory or nobody can."""
    with _opened(data_dir) as file:
        if not _take(file):
            raise SettingsInvalid(
                f"another quizmill already works in {data_dir} ({address_of(data_dir) or 'still starting'}):"
                " use that one, or choose another --data-dir"
            )
        file.truncate(0)
        yield file


def _opened(data_dir: Path) -> TextIO:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return (data_dir / NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise SettingsInvalid(
            f"can't keep anything in {data_dir}: {error.strerror}. Choose another directory with --data-dir."
        ) from None


def publish(file: TextIO, address: str) -> None:
    """Tell others where the holder of the lock serves."""
    file.truncate(0)
    json.dump({"pid": os.getpid(), "url": address}, file)
    file.flush()


def address_of(data_dir: Path) -> str | None:
    """Where the living `up` of this directory serves; None when there is none, or it is still starting."""
    try:
        with (data_dir / NAME).open("r", encoding="utf-8") as file:
            if _take(file):
                return None
            url = json.load(file)["url"]
    except (FileNotFoundError, ValueError):
        return None
    return str(url)


def is_free(data_dir: Path) -> bool:
    try:
        with (data_dir / NAME).open("r", encoding="utf-8") as file:
            return _take(file)
    except FileNotFoundError:
        return True


def _take(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
