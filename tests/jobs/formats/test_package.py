"""Zip packages: bounded before and while they are unpacked."""

import pytest

from jobs.formats import package
from jobs.formats.base import UnreadableMaterial
from jobs.formats.package import Package
from tests.documents import PROSE, zipped


def test_the_files_of_a_package_are_read_by_their_names() -> None:
    found = Package(zipped({"a.txt": PROSE, "folder/": "", "folder/b.txt": "b"}))
    assert found.names == ["a.txt", "folder/b.txt"]
    assert found.read("folder/b.txt") == b"b"
    with pytest.raises(UnreadableMaterial, match=r"its part c\.txt is missing"):
        found.read("c.txt")


def test_all_reads_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    # 100 MB would take long.
    monkeypatch.setattr(package, "UNPACKED_BYTES_MAX", 100)
    found = Package(zipped({"a.txt": "x" * 60}))
    assert len(found.read("a.txt")) == 60
    with pytest.raises(UnreadableMaterial, match="it unpacks to more than"):
        found.read("a.txt")


def test_what_is_packed_a_hundredfold_is_refused_unless_it_is_small() -> None:
    Package(zipped({"blank.bmp": bytes(package.RATIO_COUNTS_FROM_BYTES)}))
    with pytest.raises(UnreadableMaterial, match="it unpacks to more than"):
        Package(zipped({"blank.bmp": bytes(package.RATIO_COUNTS_FROM_BYTES + 1)}))


def test_a_part_whose_content_was_changed_is_damaged() -> None:
    content = bytearray(zipped({"a.txt": PROSE}, compression=0))
    content[60] ^= 1
    with pytest.raises(UnreadableMaterial, match=r"its part a\.txt is damaged"):
        Package(bytes(content)).read("a.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_definitions_are_found_in_any_encoding(encoding: str) -> None:
    found = Package(zipped({"a.xml": '<?xml version="1.0"?><!doctype x [<!ENTITY e "e">]><x/>'.encode(encoding)}))
    for allow_doctype in (False, True):
        with pytest.raises(UnreadableMaterial, match="holds definitions of entities"):
            found.require_no_definitions((".xml",), allow_doctype=allow_doctype)
    found.require_no_definitions((".rels",))


def test_a_document_type_alone_may_be_allowed() -> None:
    found = Package(zipped({"toc.ncx": '<!DOCTYPE ncx PUBLIC "a" "b"><ncx/>'}))
    found.require_no_definitions((".ncx",), allow_doctype=True)
    with pytest.raises(UnreadableMaterial):
        found.require_no_definitions((".ncx",))
