"""How the tests read a page."""

from bs4 import BeautifulSoup, Tag


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def text_of(found: Tag | None) -> str:
    assert found is not None, "the element is not on the page"
    return " ".join(found.get_text().split())


def part(html: str, name: str) -> str:
    return text_of(soup(html).select_one(f"[data-part={name}]"))
