"""Files made to hurt: each is refused in words, in a process that can take little and write nothing."""

import asyncio
import io
import resource
import stat
import subprocess
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from jobs import reader
from jobs.formats.base import NoText, UnreadableMaterial
from schemas.materials import Reading
from tests.documents import (
    PROSE,
    Pdf,
    epub,
    part,
    pdf,
    picture,
    scan,
    slide_deck,
    with_part,
    word,
    wrapped,
    zipped,
)
from tests.workbench import eventually

MIB = 1024 * 1024
WORD = word(("Heading 1", "Leaves"), ("Normal", PROSE))
ROOM_BYTES = 256 * MIB
"""Beside the address space itself, for what the kernel counts differently."""


async def read(name: str, content: bytes, **changes: int) -> Reading:
    limits = reader.Limits(**{"cpu_seconds": 30, **changes})
    return await reader.read(name, content, tell=lambda _page, _pages: None, limits=limits)


async def refusal(name: str, content: bytes, **changes: int) -> str:
    with pytest.raises(UnreadableMaterial) as caught:
        await read(name, content, **changes)
    assert peak_bytes() < reader.Limits().memory_bytes + ROOM_BYTES
    return str(caught.value)


def peak_bytes() -> int:
    """The most memory that any process of these tests has had so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def children() -> set[str]:
    """The processes that this one has started and that are not over."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@pytest.fixture
async def visits() -> AsyncIterator[tuple[str, list[bytes]]]:
    """The address of a server, and what was asked of it."""
    heard: list[bytes] = []

    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        heard.append(await incoming.readline())
        outgoing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/x", heard
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("name", "content", "modules"),
    [
        ("plants.pdf", pdf(PROSE), ["plants"]),
        ("plants.docx", WORD, ["Leaves"]),
        ("plants.pptx", slide_deck(("Leaves", PROSE, "Ask them.")), ["Leaves"]),
        (
            "plants.epub",
            epub(f"<h1>Leaves</h1><p>{PROSE * 2}</p>", f"<h1>Roots</h1><p>{PROSE * 2}</p>"),
            ["Leaves", "Roots"],
        ),
        ("plants.html", f"<title>Plants</title><p>{PROSE}".encode(), ["Plants"]),
        ("plants.md", f"# Leaves\n\n{PROSE}".encode(), ["Leaves"]),
        ("plants.txt", PROSE.encode(), ["plants"]),
        ("plants.zip", zipped({"b/roots.txt": PROSE, "a/leaves.pdf": pdf(PROSE), "x.css": ""}), ["leaves", "roots"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_kind_of_file_is_read(name: str, content: bytes, modules: list[str]) -> None:
    found = (await read(name, content)).modules
    assert [module.name for module in found] == modules
    assert all("Leaves turn light into sugar" in module.text for module in found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.docx", b"MZ\x90\x00 This program cannot be run", "a.docx can't be read: it is no .docx file"),
        ("a.pdf", b"<!doctype html><p>Leaves", "a.pdf can't be read: it is no .pdf file"),
        ("a.png", b"GIF89a", "a.png can't be read: it is no .png file"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, "is protected with a password or of an old Office version"),
        ("a.docx", slide_deck(("Leaves", PROSE, "")), "it is damaged or no Word document"),
        ("a.pptx", WORD, "it is damaged or no PowerPoint presentation"),
        ("a.epub", WORD, "it is a zip file, but no EPUB"),
    ],
    ids=["exe", "html", "gif", "ole", "pptx", "docx", "no book"],
)
async def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, content: bytes, said: str) -> None:
    assert said in await refusal(name, content)


async def test_a_word_file_that_unpacks_to_a_thousandfold_is_refused_before_it_does() -> None:
    bomb = with_part(WORD, "word/media/zeros.bin", bytes(256 * MIB))
    assert len(bomb) < MIB
    assert await refusal("a.docx", bomb) == "a.docx can't be read: it unpacks to more than 100 MB"


async def test_a_directory_that_lies_about_sizes_does_not_help_a_bomb() -> None:
    bomb = bytearray(with_part(WORD, "word/document.xml", b" " * (64 * MIB)))
    size = (64 * MIB).to_bytes(4, "little")
    while (place := bomb.rfind(size)) >= 0:
        bomb[place : place + 4] = (1000).to_bytes(4, "little")
    assert "can't be read" in await refusal("a.docx", bytes(bomb))


async def test_many_entries_are_refused() -> None:
    many = zipped({f"{number}.txt": "x" for number in range(2001)})
    assert "it holds 2,001 files: at most 2,000 are read" in await refusal("a.zip", many)


def overlapping() -> bytes:
    """Two entries of the directory that lead to one and the same file."""
    content = zipped({"a.txt": PROSE, "b.txt": PROSE}, compression=zipfile.ZIP_STORED)
    directory = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", directory + 4)
    return content[: second + 42] + (0).to_bytes(4, "little") + content[second + 46 :]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"a.txt": PROSE, "deep/b.zip": zipped({"c.txt": PROSE})}), "it holds another archive, b.zip"),
        (zipped({"a.txt": PROSE, "b.tar.gz": b"x"}), "it holds another archive, b.tar.gz"),
        (overlapping(), "its files lie on top of each other"),
        (zipped({"a.exe": b"MZ"}), "it holds no file that can be read"),
        (b"PK\x05\x06" + bytes(18), "it holds no file that can be read"),
    ],
    ids=["zip in zip", "tar in zip", "overlapping", "no material", "empty"],
)
async def test_archives_in_archives_and_on_top_of_each_other_are_refused(content: bytes, said: str) -> None:
    assert said in await refusal("a.zip", content)


async def test_paths_that_lead_out_of_an_archive_lead_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "escaped.txt"
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(f"../../../../../..{target}", PROSE)
        package.writestr("..\\..\\windows.txt", PROSE)
        package.writestr(link, "/etc/passwd")
    found = (await read("a.zip", buffer.getvalue())).modules
    assert {module.name for module in found} == {"windows", "escaped"}
    assert not target.exists()


async def test_what_can_not_be_read_in_an_archive_is_named_and_the_rest_is_read() -> None:
    content = zipped({"a.txt": PROSE, "b.pdf": Pdf().page(wrapped(PROSE)).encrypted().bytes(), "c.pdf": b"%PDF-1.4"})
    reading = await read("a.zip", content)
    assert [module.name for module in reading.modules] == ["a"]
    assert reading.notes == (
        "b.pdf: it is password-protected; upload it without a password",
        "c.pdf: it is damaged or was not uploaded to its end",
    )


DEFINITIONS: dict[str, Callable[[str], str]] = {
    "file": lambda _: '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "http": lambda url: f'<!DOCTYPE x SYSTEM "{url}">',
    "entity over http": lambda url: f'<!DOCTYPE x [<!ENTITY % e SYSTEM "{url}"> %e;]>',
    "laughs": lambda _: (
        '<!DOCTYPE x [<!ENTITY a "ha">'
        + "".join(
            f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefghi", "bcdefghij", strict=True)
        )
        + "]>"
    ),
}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.epub"])
async def test_entities_are_never_resolved(
    name: str, encoding: str, definition: Callable[[str], str], visits: tuple[str, list[bytes]]
) -> None:
    url, heard = visits
    whole, path = {
        "a.docx": (WORD, "word/document.xml"),
        "a.pptx": (slide_deck(("Leaves", PROSE, "")), "ppt/slides/slide1.xml"),
        "a.epub": (epub(f"<p>{PROSE}</p>"), "OPS/book.opf"),
    }[name]
    xml = part(whole, path).decode("utf-8")
    body = xml[xml.index("?>") + 2 :] if xml.startswith("<?xml") else xml
    text = f'<?xml version="1.0" encoding="{encoding}"?>{definition(url)}{body}'.replace("Leaves", "Leaves &e;")
    harmful = with_part(whole, path, text.encode(encoding))
    if "ENTITY" in text or name != "a.epub":
        assert "can't be read: its part" in await refusal(name, harmful)
    else:  # books may name a document type, which is not fetched
        assert (await read(name, harmful)).modules
    assert heard == []


async def test_addresses_in_a_word_file_are_never_asked(visits: tuple[str, list[bytes]]) -> None:
    url, heard = visits
    relations = part(WORD, "word/_rels/document.xml.rels").replace(
        b"</Relationships>",
        f'<Relationship Id="rId98" TargetMode="External" Target="{url}" Type="http://schemas.openxmlformats.org/'
        f'officeDocument/2006/relationships/attachedTemplate"/><Relationship Id="rId99" TargetMode="External" '
        f'Target="{url}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/>'
        "</Relationships>".encode(),
    )
    found = await read("a.docx", with_part(WORD, "word/_rels/document.xml.rels", relations))
    assert found.modules[0].name == "Leaves"
    assert heard == []


def stacked(megabytes: int, layers: int) -> bytes:
    """A PDF whose page is that long, packed several times over."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(megabytes)) + packer.flush()
    for _ in range(layers - 1):
        packed = zlib.compress(packed, 9)
    document = Pdf()
    content = document.stream(packed, f"/Filter [{' /FlateDecode' * layers}]")
    page = document.add(f"<< /Type /Page /Parent 3 0 R /Contents {content} 0 R /MediaBox [0 0 9 9] >>".encode())
    return document.tree(f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>").bytes()


async def test_a_page_that_unpacks_without_end_is_refused() -> None:
    bomb = stacked(megabytes=1500, layers=3)
    assert len(bomb) < MIB
    assert "can't be read" in await refusal("a.pdf", bomb)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("<< /Type /Pages /Kids [{page} 0 R] /Count 50000 >>", "it has 50,000 pages: from 1 to 5,000 are read"),
        ("<< /Type /Pages /Kids [{tree} 0 R {tree} 0 R] /Count 2 >>", "can't be read"),
        ("<< /Type /Pages /Kids [{tree} 0 R] /Count 2000000000 >>", "can't be read"),
        ("<< /Type /Pages /Kids [] /Count 0 >>", "can't be read"),
    ],
    ids=["50,000", "loop", "loop of billions", "none"],
)
async def test_trees_of_pages_without_end_are_refused(tree: str, said: str) -> None:
    assert said in await refusal("a.pdf", Pdf().page(wrapped(PROSE)).tree(tree).bytes())


async def test_a_page_without_measure_is_read() -> None:
    content = pdf(PROSE).replace(b"[0 0 595 842]", b"[0 0 9e9 9e9]")
    assert (await read("a.pdf", content)).modules


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", Pdf().page(wrapped(PROSE)).encrypted().bytes(), "it is password-protected"),
        ("a.pdf", pdf(PROSE)[:300], "it is damaged or was not uploaded to its end"),
        ("a.docx", WORD[: len(WORD) // 2], "it is damaged or was not uploaded to its end"),
        ("a.epub", epub(PROSE)[:-30], "it is damaged or was not uploaded to its end"),
        ("a.png", picture()[:100], "is a picture"),
    ],
    ids=["encrypted", "half a pdf", "half a docx", "most of an epub", "half a picture"],
)
async def test_protected_and_truncated_files_are_refused(name: str, content: bytes, said: str) -> None:
    assert said in await refusal(name, content)


@pytest.mark.parametrize("content", [Pdf().page(picture=scan()).bytes(), pdf()], ids=["scan", "blank"])
async def test_files_without_text_are_told_from_broken_ones(content: bytes) -> None:
    with pytest.raises(NoText, match="it holds no text"):
        await read("a.pdf", content)


async def test_a_file_that_is_a_pdf_and_a_web_page_is_read_as_the_one_it_is_named() -> None:
    both = b"<script>alert(1)</script>\n" + pdf(PROSE)
    assert "alert" not in (await read("a.pdf", both)).modules[0].text


async def test_a_file_that_takes_too_long_is_refused() -> None:
    slow = b"".join(b"# Heading %d\n\n- *a* [b](c)\n\n" % number for number in range(300_000))
    assert await refusal("a.md", slow, cpu_seconds=2) == "a.md can't be read: it takes too long"
    assert await refusal("a.md", slow, wall_seconds=1) == "a.md can't be read: it takes too long"


async def test_a_file_that_takes_too_much_memory_is_refused() -> None:
    large = b"".join(b"# Heading %d\n\n- *a* [b](c)\n\n" % number for number in range(100_000))
    assert "more memory than a file may" in await refusal("a.md", large, memory_bytes=160 * MIB)


async def test_a_reading_that_is_not_wanted_any_more_leaves_no_process() -> None:
    before = children()
    slow = b"".join(b"# Heading %d\n\n- *a* [b](c)\n\n" % number for number in range(300_000))
    reading = asyncio.create_task(read("a.md", slow))
    await eventually(lambda: children() > before)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert children() <= before


def test_the_process_can_write_no_file(tmp_path: Path) -> None:
    code = (
        "import sys; from jobs import reader_child; reader_child._limit(2 << 30, 10, 10); "
        f"open({str(tmp_path / 'x')!r}, 'wb', buffering=0).write(b'x')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "File too large" in result.stderr
    assert (tmp_path / "x").stat().st_size == 0


def test_a_worker_brings_none_of_the_large_readers_along() -> None:
    readers = {"pypdfium2", "docx", "pptx", "PIL", "jobs.extraction"}
    code = f"import sys, jobs.worker; print(sorted({readers} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


async def test_a_reader_that_can_not_start_is_told_from_a_bad_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(reader.ReaderBroken, match="reading ended with code 1"):
        await read("a.md", b"# Leaves")
