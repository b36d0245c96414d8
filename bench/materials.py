"""How well and how fast real documents are read: words kept against pdftotext, seconds, memory, modules.

The documents are Debian packages, fetched once into a directory of their own (`--cache`), and pdftotext is in
poppler-utils; both need a Debian system. "Of text" does not count what is printed on every page again: that is left out
on purpose.
"""

import argparse
import asyncio
import io
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from jobs import reader
from schemas.materials import Reading

PACKAGES = ("developers-reference", "debian-handbook", "r-doc-pdf", "python3.11-doc", "debian-history")
SHARE = "root/usr/share"
# The longest words in prose; more of them than pdftotext finds are words that were glued together.
LONG_CHARACTERS = 25


class Document(NamedTuple):
    """A file, or a folder of pages that is sent as a zip."""

    name: str
    path: str
    is_folder: bool = False


DOCUMENTS = (
    Document("developers-reference.pdf", "developers-reference/developers-reference.pdf"),
    Document("R-intro.pdf", "R/doc/manual/R-intro.pdf"),
    Document("R-exts.pdf", "R/doc/manual/R-exts.pdf"),
    Document("fullrefman.pdf", "R/doc/manual/fullrefman.pdf"),
    Document("history.en.pdf", "doc/debian-history/docs/project-history.en.pdf"),
    Document("history.de.pdf", "doc/debian-history/docs/project-history.de.pdf"),
    Document("developers-reference.epub", "developers-reference/developers-reference.epub"),
    Document("history.en.epub", "doc/debian-history/docs/project-history.en.epub"),
    Document("handbook.zip", "doc/debian-handbook/html/en-US", is_folder=True),
    Document("python-tutorial.zip", "doc/python3.11/html/tutorial", is_folder=True),
)


class Row(NamedTuple):
    name: str
    pages: int
    words: int
    kept: float
    kept_of_text: float
    glued: int
    seconds: float
    memory_mb: int
    modules: int
    left_out: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(tempfile.gettempdir()) / "quizmill-bench-materials"
    parser.add_argument("--cache", type=Path, default=default, help="where the packages are kept")
    parser.add_argument("--only", default="", help="documents whose name contains this")
    arguments = parser.parse_args()
    fetch(arguments.cache)
    print(
        f"{'document':26} {'pages':>5} {'words':>7} {'kept':>7} {'of text':>7} {'glued':>5} {'s':>6} {'MB':>5} modules"
    )
    for document in DOCUMENTS:
        if arguments.only in document.name:
            row = measured(document, arguments.cache / SHARE / document.path)
            print(
                f"{row.name:26} {row.pages:5} {row.words:7,} {row.kept:7.2%} {row.kept_of_text:7.2%} {row.glued:5}"
                f" {row.seconds:6.2f} {row.memory_mb:5} {row.modules:4} + {row.left_out} left out",
                flush=True,
            )


def fetch(cache: Path) -> None:
    """Once: the packages, unpacked and not installed."""
    if (cache / "root").exists():
        return
    if not shutil.which("pdftotext") or not shutil.which("apt-get"):
        sys.exit("this benchmark needs apt-get and pdftotext (package poppler-utils)")
    cache.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=cache, check=True)
    for package in cache.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, cache / "unpacking"], check=True)
    (cache / "unpacking").rename(cache / "root")


def measured(document: Document, path: Path) -> Row:
    """In a process of its own, so that the peak of memory is this document's."""
    command = [sys.executable, "-c", "from bench.materials import child; child()", document.name, str(path)]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return Row(*json.loads(told))


def child() -> None:
    name, path = sys.argv[1], Path(sys.argv[2])
    content = packed(path) if path.is_dir() else path.read_bytes()
    pages = [0]

    def tell(_: int, count: int) -> None:
        pages[0] = count

    began = time.perf_counter()
    reading = asyncio.run(reader.read(name, content, tell=tell))
    seconds = time.perf_counter() - began
    memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    running = running_words(path) if path.suffix == ".pdf" else Counter[str]()
    theirs, ours = expected(path), words(text_of(reading))
    missing = theirs - ours
    total = sum(theirs.values())
    row = Row(
        name=name,
        pages=pages[0],
        words=sum(ours.values()),
        kept=1 - sum(missing.values()) / total,
        kept_of_text=1 - sum((missing - running).values()) / (total - sum(running.values())),
        glued=sum(count for word, count in (ours - theirs).items() if len(word) >= LONG_CHARACTERS),
        seconds=seconds,
        memory_mb=memory_mb,
        modules=sum(not module.is_left_out for module in reading.modules),
        left_out=sum(module.is_left_out for module in reading.modules),
    )
    print(json.dumps(row))


def packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(folder.rglob("*.html")):
            package.write(path, path.relative_to(folder))
    return buffer.getvalue()


def text_of(reading: Reading) -> str:
    return "\n".join(module.text for module in reading.modules)


def expected(path: Path) -> Counter[str]:
    """The words that another reader finds."""
    if path.suffix == ".pdf":
        text = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout.decode()
        return words(re.sub(r"(\w)[-\u2010]\n(\w)", r"\1\2", text))
    if path.is_dir():
        pages = [page.read_text(encoding="utf-8") for page in sorted(path.rglob("*.html"))]
    else:
        with zipfile.ZipFile(path) as book:
            names = [name for name in book.namelist() if name.endswith((".xhtml", ".html")) and "nav" not in name]
            pages = [book.read(name).decode() for name in names]
    return words("\n".join(map(seen, pages)))


def running_words(path: Path) -> Counter[str]:
    """Of the lines that are left out because every page has them."""
    from jobs.formats.pdf import document  # noqa: PLC0415 # after the measurement
    from jobs.formats.pdf.running import without_running  # noqa: PLC0415 # as above

    opened = document._opened(path.read_bytes())  # noqa: SLF001 # what it drops is nobody else's business
    pages = list(document._pages(opened, lambda _page, _pages: None))  # noqa: SLF001 # as above
    kept = {id(line) for page in without_running(pages) for line in page}
    return words("\n".join(line.text for page in pages for line in page if id(line) not in kept))


def words(text: str) -> Counter[str]:
    """What stands between spaces and signs; a divided word at a page's end is two."""
    return Counter(re.findall(r"\w+", text.casefold()))


class _Seen(HTMLParser):
    """The text of a page without what is plainly no text of it."""

    DROPPED = frozenset({"script", "style", "nav", "head", "template"})
    VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "col", "source"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_dropped = self._depth > 0 or tag in self.DROPPED or ("role", "navigation") in attrs
        self._depth += is_dropped and tag not in self.VOID
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= self._depth > 0 and tag not in self.VOID
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if self._depth == 0:
            self.pieces.append(data)


def seen(page: str) -> str:
    parser = _Seen()
    parser.feed(page)
    return "".join(parser.pieces)


if __name__ == "__main__":
    main()
