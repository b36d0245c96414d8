"""Zip files that never change by themselves."""

import io
import zipfile

from service.exports.packages import zipped


def test_the_same_content_gives_the_same_bytes() -> None:
    assert zipped({"b": b"1", "a/c": b"2"}) == zipped({"b": b"1", "a/c": b"2"})


def test_files_stand_in_the_given_order_without_a_clock() -> None:
    content = b"long " * 1000
    package = zipped({"b": content, "a/c": b"2"})
    assert len(package) < len(content)
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        assert files.namelist() == ["b", "a/c"]
        assert {entry.date_time for entry in files.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert files.read("b") == content
