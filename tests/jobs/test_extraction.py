"""Files become modules: which ones are read, as what text, and which are refused in which words."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.extraction import SUFFIXES, ExtractedModule, UnreadableMaterial, extract, split_markdown
from jobs.sections import NAME_CHARACTERS_MAX, SECTION_CHARACTERS_MAX
from service.rules.kinds import TEXTS
from tests.documents import zipped

PROSE = "A switch forwards frames by their address, and a router forwards packets between networks. " * 3


def refusal(filename: str, content: bytes) -> str:
    with pytest.raises(UnreadableMaterial) as caught:
        extract(filename, content)
    return str(caught.value)


def only(filename: str, content: bytes) -> ExtractedModule:
    modules = extract(filename, content)
    assert len(modules) == 1
    return modules[0]


@pytest.mark.parametrize("suffix", sorted(TEXTS))
def test_every_text_is_read_whatever_the_case_of_its_suffix(suffix: str) -> None:
    for filename in (f"notes{suffix}", f"NOTES{suffix.upper()}"):
        assert only(filename, PROSE.encode()).text == PROSE.strip()


@pytest.mark.parametrize("filename", ["notes.xyz", "notes", "archive.md.tar", "", "md", "folder.md/notes"])
def test_an_unknown_kind_of_file_is_refused_and_the_known_ones_are_named(filename: str) -> None:
    message = refusal(filename, PROSE.encode())
    assert all(suffix in message for suffix in SUFFIXES)


@pytest.mark.parametrize("content", [b"", b"  \n\t\n", "\ufeff\u200b".encode(), b"---\n", b"<p> </p>", b"&nbsp;"])
@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_file_without_text_is_refused(content: bytes, suffix: str) -> None:
    assert refusal(f"empty{suffix}", content) == f"empty{suffix} can't be read: it holds no text"


@pytest.mark.parametrize("filename", ["a.txt", "a.md"])
@pytest.mark.parametrize("content", ["café".encode("latin-1"), "café".encode("utf-16"), b"\xff\xfe\x00"])
def test_text_in_another_encoding_is_refused_with_what_to_do(filename: str, content: bytes) -> None:
    assert (
        refusal(filename, content)
        == f"{filename} can't be read: it is not UTF-8 text; save it as UTF-8 and upload it again"
    )


@pytest.mark.parametrize("filename", ["a.txt", "a.md", "a.html"])
@pytest.mark.parametrize("content", [b"text\x00text", b"\x7fELF\x01\x01\x02 and so on", bytes(range(1, 127))])
def test_binary_data_is_refused(filename: str, content: bytes) -> None:
    assert refusal(filename, content) == f"{filename} can't be read: it is not text: it holds binary data"


@pytest.mark.parametrize("filename", ["a.txt", "a.md", "a.html"])
def test_a_byte_order_mark_is_no_text(filename: str) -> None:
    assert only(filename, b"\xef\xbb\xbf" + PROSE.encode()).text == PROSE.strip()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_html_with_a_byte_order_mark_may_be_utf_16(encoding: str) -> None:
    mark = "" if encoding in {"utf-16", "utf-32"} else "\ufeff"
    assert only("a.html", (mark + "<p>Käse und Brötchen</p>").encode(encoding)).text == "Käse und Brötchen"


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ('<meta charset="iso-8859-1">', "latin-1"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=windows-1252'>", "cp1252"),
        ('<?xml version="1.0" encoding="ISO-8859-15"?>', "iso-8859-15"),
        ("<META CHARSET=utf-8>", "utf-8"),
        ('<meta charset="latin1">', "utf-8"),
        ('<meta charset="nonsense">', "utf-8"),
        ('<meta charset="rot13">', "utf-8"),
        ('<meta charset="utf-16">', "utf-8"),
    ],
)
def test_html_is_read_in_the_encoding_it_declares_unless_it_is_utf_8_all_the_same(
    declaration: str, encoding: str
) -> None:
    page = f"{declaration}<p>Käse und Brötchen</p>"
    assert only("a.html", page.encode(encoding)).text == "Käse und Brötchen"


def test_a_japanese_page_in_a_seven_bit_encoding_is_read() -> None:
    page = '<meta charset="iso-2022-jp"><p>ネットワーク</p>'
    assert only("a.html", page.encode("iso-2022-jp")).text == "ネットワーク"


@pytest.mark.parametrize("declaration", ["", '<meta charset="euc-jp">', '<meta charset="idna">'])
def test_html_in_an_encoding_that_nothing_tells_is_refused(declaration: str) -> None:
    message = refusal("a.html", (declaration + "<p>K\xe4se").encode("latin-1"))
    assert message.startswith("a.html can't be read: it is not UTF-8 text and declares no other encoding that fits")


@pytest.mark.parametrize("filename", ["lecture 7.md", "/home/me/lecture 7.txt", "C:\\course\\lecture 7.html"])
def test_a_file_without_headings_is_one_module_with_the_name_of_the_file(filename: str) -> None:
    assert only(filename, PROSE.encode()).name == "lecture 7"


def test_a_page_without_headings_has_the_name_of_its_title() -> None:
    page = f"<title>Switching &amp;\n routing</title><p>{PROSE}"
    assert only("a.html", page.encode()).name == "Switching & routing"


@pytest.mark.parametrize("filename", [".md", "\x00.md", " .md"])
def test_a_file_that_is_hardly_named_has_a_module_that_is(filename: str) -> None:
    assert only(filename, PROSE.encode()).name == "Untitled"


def test_a_very_long_file_name_is_shortened() -> None:
    assert len(only(f"{'x' * 5000}.md", PROSE.encode()).name) == NAME_CHARACTERS_MAX
    assert len(refusal(f"{'x' * 5000}.xyz", b"")) < 300


def test_text_is_stored_in_one_form() -> None:
    text = "cafe\u0301\r\nna\u00efve\u00a0soft\u00adware \x0b\x1b"
    assert only("a.txt", (text + PROSE).encode()).text.startswith("café naïve software")


def test_markdown_can_be_split_without_a_file() -> None:
    modules = split_markdown(f"# One\n\n{PROSE}\n\n# Two\n\n{PROSE}", "Course")
    assert [module.name for module in modules] == ["One", "Two"]
    assert [module.name for module in split_markdown(PROSE, "Course")] == ["Course"]
    assert split_markdown(" \n", "Course") == []


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("deep.html", "<div>" * 100_000 + PROSE + "</div>" * 100_000),
        ("unclosed.html", "<b>" * 100_000 + PROSE),
        ("lists.html", "<ul><li>" * 20_000 + PROSE),
        ("tables.html", "<table><tr><td>" * 20_000 + PROSE),
        ("quotes.md", PROSE + "\n\n" + "> " * 20_000 + "x"),
        ("lists.md", PROSE + "\n\n" + "- " * 20_000 + "x"),
        ("brackets.md", PROSE + "\n\n" + "[" * 100_000),
        ("stars.md", PROSE + "\n\n" + "*a " * 100_000),
        ("headings.md", "# a\n" * 20_000),
        ("underlined.txt", "a\n---\n" * 20_000),
        ("one-line.txt", "word " * 200_000),
        ("unbroken.txt", "x" * 1_000_000),
    ],
)
def test_a_file_made_to_hurt_is_read_all_the_same(filename: str, text: str) -> None:
    modules = extract(filename, text.encode())
    assert modules
    assert all(0 < len(module.text) <= SECTION_CHARACTERS_MAX for module in modules)
    if PROSE in text:
        assert any(PROSE.strip() in module.text for module in modules)


def test_tags_that_would_take_the_parser_ages_are_refused() -> None:
    message = refusal("tangled.html", b"x<b><i>" + b"</b><i>" * 300_000)
    assert message == "tangled.html can't be read: the page's tags are nested too deeply and closed in the wrong order"


MARKUP = (
    "# ¤## ¤\n¤\n\n¤- ¤1. ¤> ¤`¤```\n¤*¤_¤[¤](¤)¤|¤|-|\n¤    ¤$¤\\¤===\n¤---\n¤1.2 Title¤CHAPTER I¤word ¤\u00a0¤\u00ad"
    "¤<p>¤</p>¤<table>¤<tr>¤<td>¤<ul>¤<li>¤<pre>¤</pre>¤<h1>¤</h1>¤<sup>¤</sup>¤<form>¤</form>¤<main>¤</main>¤<nav>"
    "¤</nav>¤<br>¤<title>¤<!--¤-->¤&amp;¤&#0;¤e\u0301¤\r\n¤\f¤光"
)
MARKS = st.sampled_from(MARKUP.split("¤"))
ANY_FILE = st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=40).map("".join)


@settings(max_examples=400, deadline=None)
@given(text=ANY_FILE, suffix=st.sampled_from(sorted(TEXTS)), name=st.text(max_size=10))
def test_any_text_becomes_clean_modules_or_is_refused(text: str, suffix: str, name: str) -> None:
    try:
        modules = extract(name + suffix, text.encode("utf-8", "surrogatepass"))
    except UnreadableMaterial:
        return
    assert modules
    names = [module.name for module in modules]
    assert len(set(names)) == len(names)
    for module in modules:
        assert module.name.strip()
        assert len(module.name) <= NAME_CHARACTERS_MAX
        assert module.text.strip()
        for kept in (module.name, module.text):
            assert unicodedata.is_normalized("NFC", kept)
            assert not {"Cc", "Cs"}.intersection(map(unicodedata.category, kept.replace("\n", "").replace("\t", "")))
            kept.encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200), suffix=st.sampled_from(sorted(SUFFIXES)))
def test_any_bytes_become_modules_or_are_refused(content: bytes, suffix: str) -> None:
    try:
        modules = extract("a" + suffix, content)
    except UnreadableMaterial:
        return
    assert all(module.text for module in modules)


def test_the_files_of_a_small_archive_have_several_modules_and_those_of_a_large_one_are_modules() -> None:
    chapter = f"# One\n\n{PROSE}\n\n# Two\n\n{PROSE}"
    small = zipped({f"{number}.md": chapter for number in range(2)})
    large = zipped({f"Lecture {number}.md": chapter.replace("One", f"Part {number}") for number in range(11)})
    assert [module.name for module in extract("a.zip", small)] == ["One", "Two", "One (2)", "Two (2)"]
    assert [module.name for module in extract("a.zip", large)] == [f"Part {number}" for number in range(11)]
