"""One `quizmill up` per data directory."""

import json
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from service.cli import lock
from service.errors import SettingsInvalid

ADDRESS = "http://127.0.0.1:8000"


def hold_in_another_process(directory: Path, pipe: Connection) -> None:
    with lock.held(directory) as file:
        lock.publish(file, ADDRESS)
        pipe.send("held")
        pipe.recv()


def test_a_second_holder_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    with lock.held(tmp_path) as file:
        lock.publish(file, ADDRESS)
        with pytest.raises(SettingsInvalid, match=ADDRESS) as refused, lock.held(tmp_path):
            pass
    assert str(tmp_path) in str(refused.value)
    assert "--data-dir" in str(refused.value)


def test_a_second_holder_is_refused_while_the_first_still_starts(tmp_path: Path) -> None:
    with lock.held(tmp_path):
        with pytest.raises(SettingsInvalid, match="still starting"), lock.held(tmp_path):
            pass
        assert lock.address_of(tmp_path) is None
        assert not lock.is_free(tmp_path)


def test_the_lock_is_free_again_when_its_holder_is_done(tmp_path: Path) -> None:
    for _ in range(2):
        with lock.held(tmp_path) as file:
            lock.publish(file, ADDRESS)
        assert lock.is_free(tmp_path)
        assert lock.address_of(tmp_path) is None, "what is written there is of the past"


def test_a_refused_holder_does_not_loosen_the_lock(tmp_path: Path) -> None:
    with lock.held(tmp_path) as file:
        lock.publish(file, ADDRESS)
        for _ in range(3):
            with pytest.raises(SettingsInvalid), lock.held(tmp_path):
                pass
            assert lock.address_of(tmp_path) == ADDRESS


def test_an_address_that_changes_is_the_newest_one(tmp_path: Path) -> None:
    with lock.held(tmp_path) as file:
        lock.publish(file, "http://a-very-long-host-name.example:65535")
        lock.publish(file, ADDRESS)
        assert lock.address_of(tmp_path) == ADDRESS
        assert json.loads((tmp_path / lock.NAME).read_text())["url"] == ADDRESS


def test_a_directory_nobody_has_used_is_free(tmp_path: Path) -> None:
    new = tmp_path / "new" / "data"
    assert lock.is_free(new)
    assert lock.address_of(new) is None
    assert not new.exists()
    with lock.held(new):
        assert new.is_dir()


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("spawn").Process(target=hold_in_another_process, args=(tmp_path, theirs))
    other.start()
    assert ours.poll(30)
    assert ours.recv() == "held"
    assert lock.address_of(tmp_path) == ADDRESS
    with pytest.raises(SettingsInvalid, match=ADDRESS), lock.held(tmp_path):
        pass
    other.kill()
    other.join(30)
    with lock.held(tmp_path):
        pass
    other.close()


def test_a_directory_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsInvalid, match="can't keep anything in") as refused, lock.held(tmp_path / "file"):
        pass
    assert "--data-dir" in str(refused.value)


def test_whoever_starts_does_not_show_the_address_of_the_one_before(tmp_path: Path) -> None:
    with lock.held(tmp_path) as file:
        lock.publish(file, ADDRESS)
    with lock.held(tmp_path):
        assert lock.address_of(tmp_path) is None
