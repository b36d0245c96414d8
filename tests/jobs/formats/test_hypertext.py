"""HTML: what a reader sees of a page."""

import pytest

from jobs.formats.base import Block, UnreadableMaterial
from jobs.formats.hypertext import read

PROSE = "A router forwards packets between networks, and a switch forwards frames within one network. " * 3


def texts(page: str) -> list[str]:
    return [block.text for block in read(page).blocks]


def test_headings_have_their_level_and_the_page_its_title() -> None:
    document = read("<title>T &amp; x</title><h1>One</h1><p>text<h3>Two <em>b</em></h3>")
    assert document.title == "T & x"
    assert document.blocks == [Block("One", 1), Block("text"), Block("Two b", 3)]


@pytest.mark.parametrize(("heading", "text"), [("Title¶", "Title"), ("Title #", "Title"), ("About C#", "About C#")])
def test_the_mark_of_a_permanent_link_is_no_part_of_a_heading(heading: str, text: str) -> None:
    assert read(f"<h2>{heading}</h2>").blocks == [Block(text, 2)]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>one<b>two</b> three</p>", "onetwo three"),
        ("<p>one\n   <i>two</i>\t three </p>", "one two three"),
        ("<p>a&nbsp;b &mdash; &#8364; &lt;p&gt; &amp;lt;", "a b — € <p> &lt;"),
        ("<p>a<br>b<br/>c", "a\nb\nc"),
        ("<p>a<br><br><br>b", "a\n\nb"),
        ("<p>un<wbr>broken <span>wo</span><span>rd</span>", "unbroken word"),
        ("no tags at all", "no tags at all"),
    ],
)
def test_inline_text_is_joined_as_a_reader_sees_it(page: str, text: str) -> None:
    assert texts(page) == [text]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("10<sup>6</sup>", "10⁶"),
        ("m<sup>-2</sup>", "m⁻²"),
        ("e<sup>x</sup>", "e^x"),
        ("e<sup>2x</sup>", "e^(2x)"),
        ("the 1<sup>st</sup>", "the 1st"),
        ("Word<sup>TM</sup>", "WordTM"),
        ("word<sup><a href='#1'>[1]</a></sup>", "word[1]"),
        ("H<sub>2</sub>O", "H₂O"),
        ("V<sub>max</sub>", "V_max"),
        ("a<sub>n+1</sub>", "a_(n+1)"),
        ("a<sup></sup>b", "ab"),
    ],
)
def test_raised_and_lowered_figures_do_not_run_into_their_neighbours(html: str, text: str) -> None:
    assert texts(f"<p>{html}</p>") == [text]


def test_block_elements_never_glue_words() -> None:
    page = "<div>one<div>two</div>three</div><p>four<p>five<section>six</section>seven<dl><dt>eight<dd>nine</dl>ten"
    assert " ".join(texts(page)) == "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(
    "furniture",
    [
        "<script>alert('x')</script>",
        "<style>p {color: red}</style>",
        "<nav><ul><li>Home</li></ul></nav>",
        "<aside><h2>Related</h2></aside>",
        "<header><h1>Site</h1></header>",
        "<footer>Imprint</footer>",
        "<form><label>Search</label><input value='x'><button>Go</button></form>",
        "<p hidden>secret</p>",
        "<span aria-hidden='true'>icon</span>",
        "<ul class='docnav top'><li>Next</li></ul>",
        "<div role='navigation'>Contents</div>",
        "<svg><title>picture</title><text>x</text></svg>",
        "<!-- remark -->",
        "<noscript>Turn it on</noscript>",
        "<nav><div><nav>inner</nav>outer</div></nav>",
    ],
)
def test_the_furniture_of_a_page_is_left_out(furniture: str) -> None:
    assert texts(f"<body>{furniture}<p>text</p>{furniture}</body>") == ["text"]


def test_the_header_of_an_article_is_part_of_it() -> None:
    page = "<header>Site</header><article><header><h1>Title</h1></header><p>text</p><footer>Author</footer></article>"
    assert texts(page) == ["Title", "text", "Author"]


def test_a_form_around_the_whole_page_does_not_hide_it() -> None:
    assert texts(f"<form><h1>Title</h1><p>{PROSE}</p><input></form>") == ["Title", PROSE.strip()]


@pytest.mark.parametrize("tag", ["<main>", "<div role='main'>"])
def test_what_stands_beside_the_main_text_is_left_out(tag: str) -> None:
    end = "</main>" if tag == "<main>" else "</div>"
    page = f"<h1>Site</h1><div>Menu</div>{tag}<h1>Title</h1><p>{PROSE}</p>{end}<div>Cookies!</div>"
    assert texts(page) == ["Title", PROSE.strip()]


@pytest.mark.parametrize("main", ["<main>short</main>", f"<main>{PROSE}</main><main>{PROSE}</main>"])
def test_a_main_text_that_is_none_hides_nothing(main: str) -> None:
    assert texts(f"<p>before</p>{main}<p>after</p>")[0] == "before"
    assert texts(f"<p>before</p>{main}<p>after</p>")[-1] == "after"


def test_list_entries_stand_on_lines_of_their_own() -> None:
    page = "<ul><li>a<li><p>b</p><p>more</p><ol start=4><li>c<li>d</ol><li>e</ul><p>after"
    assert read(page).blocks == [
        Block("- a"),
        Block("- b", is_tight=True),
        Block("more"),
        Block("  4. c", is_tight=True),
        Block("  5. d", is_tight=True),
        Block("- e", is_tight=True),
        Block("after"),
    ]


def test_a_definition_stands_below_its_term() -> None:
    page = "<dl><dt>TCP<dd>a protocol<dt>IP<dd>another</dl>"
    assert read(page).blocks == [
        Block("TCP"),
        Block("a protocol", is_tight=True),
        Block("IP"),
        Block("another", is_tight=True),
    ]


def test_table_rows_are_lines_of_cells() -> None:
    page = (
        "<table><caption>Ports</caption><tr><th>Port<th>Name</tr><tbody><tr><td><p>443</p><td>HT<b>TPS</b>"
        "<tr><td>80<td></table>after"
    )
    assert read(page).blocks == [
        Block("Ports"),
        Block("Port | Name"),
        Block("443 | HTTPS", is_tight=True),
        Block("80 | ", is_tight=True),
        Block("after"),
    ]


def test_a_table_that_lays_out_a_page_is_no_table() -> None:
    page = f"<table><tr><td>Menu<td><h1>Title</h1><p>{PROSE}</p><table><tr><td>a<td>b</table><p>end</table>"
    assert texts(page) == ["Menu", "Title", PROSE.strip(), "a | b", "end"]


def test_a_cell_of_several_paragraphs_keeps_them_apart() -> None:
    assert texts("<table><tr><td><p>a</p><p>b</p><td>c</table>") == ["a", "b", "c"]


def test_code_keeps_its_lines_and_indents() -> None:
    page = "<pre>\ndef f():\n    return <b>1</b>\n\n# end\n</pre>"
    assert texts(page) == ["def f():\n    return 1\n\n# end"]


def test_formulas_are_read_once() -> None:
    page = "<p>Area <math><mi>a</mi><mo>=</mo><annotation>a = b</annotation></math><span aria-hidden=true>a=</span></p>"
    assert texts(page) == ["Area a="]


@pytest.mark.parametrize("page", ["", " \n", "<!-- only -->", "<html></html>", "<p>", "<", "</p>", "<!DOCTYPE html>"])
def test_a_page_without_text_has_no_blocks(page: str) -> None:
    assert read(page).blocks in ([], [Block("<")])


def test_a_declared_encoding_does_not_matter_once_the_text_is_decoded() -> None:
    page = '<?xml version="1.0" encoding="iso-8859-1"?><html><head><meta charset="latin1"></head><p>Käse und 漢字</p>'
    assert texts(page) == ["Käse und 漢字"]


def test_words_at_the_parser_s_chunk_borders_stay_whole() -> None:
    words = [f"wörd{number}" for number in range(30_000)]
    page = "".join(f"<i>{word}</i> " for word in words)
    assert " ".join(texts(page)).split() == words


def test_end_tags_that_fit_nothing_are_refused_when_they_would_take_ages() -> None:
    with pytest.raises(UnreadableMaterial, match="nested too deeply"):
        read("<i>" * 50_000 + "</b>" * 50_000)
    assert texts("<i>" * 500 + "text" + "</b>" * 500) == ["text"]
