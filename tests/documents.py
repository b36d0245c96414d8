"""Makes small files of each format that course material comes in, sound and broken ones."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import docx
import pptx
from PIL import Image, ImageDraw

PROSE = (
    "Leaves turn light into sugar with the help of water and air. Roots take up water and minerals and hold the "
    "plant in the ground. Flowers attract insects that carry pollen from one plant to the next. "
)
PAGE_WIDTH, PAGE_HEIGHT, LEFT, TOP, LEADING = 595, 842, 72, 760, 14


class Text(NamedTuple):
    """A line of a PDF page; `gap` more points than usual above it."""

    text: str
    size: float = 11
    gap: float = 0
    indent: float = 0
    font: str = "F1"


class Entry(NamedTuple):
    """An entry of a PDF's outline; pages count from 0."""

    title: str
    page: int
    children: tuple["Entry", ...] = ()


def wrapped(text: str, width: int = 80) -> list[Text]:
    """A paragraph as lines; hyphens at their ends are the caller's."""
    lines: list[str] = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [Text(line, gap=8 if place == 0 else 0) for place, line in enumerate(lines)]


class Pdf:
    """A PDF file, object by object."""

    def __init__(self) -> None:
        self._objects: list[bytes] = []
        self._fonts = {
            "F1": self.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>"),
            "F2": self.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"),
        }
        self._pages: list[int] = []
        self._tree = self.add(b"")
        self._outline = ""
        self._trailer = ""

    def add(self, body: bytes) -> int:
        self._objects.append(body)
        return len(self._objects)

    def stream(self, content: bytes, entries: str = "") -> int:
        return self.add(f"<< /Length {len(content)} {entries} >>\nstream\n".encode() + content + b"\nendstream")

    def page(
        self, lines: Iterable[Text] = (), *, header: str = "", footer: str = "", picture: Image.Image | None = None
    ) -> "Pdf":
        commands: list[str] = []
        for text, y in ((header, PAGE_HEIGHT - 40), (footer, 40)):
            if text:
                commands.append(_show(Text(text, size=9), LEFT, y))
        y = float(TOP)
        for line in lines:
            y -= LEADING + line.gap
            commands.append(_show(line, LEFT + line.indent, y))
        resources = "/Font << " + " ".join(f"/{name} {number} 0 R" for name, number in self._fonts.items()) + " >>"
        if picture:
            pixels = zlib.compress(picture.convert("L").tobytes())
            image = f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height}"
            number = self.stream(pixels, image + " /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode")
            resources += f" /XObject << /I {number} 0 R >>"
            commands.append(f"q {PAGE_WIDTH} 0 0 {PAGE_HEIGHT} 0 0 cm /I Do Q")
        content = self.stream("\n".join(commands).encode("cp1252"))
        body = f"<< /Type /Page /Parent {self._tree} 0 R /MediaBox [0 0 {PAGE_WIDTH} {PAGE_HEIGHT}]"
        self._pages.append(self.add(f"{body} /Resources << {resources} >> /Contents {content} 0 R >>".encode()))
        return self

    def outline(self, entries: Sequence[Entry]) -> "Pdf":
        root = self.add(b"")
        first, last = self._entries(entries, root)
        self._objects[root - 1] = f"<< /Type /Outlines /First {first} 0 R /Last {last} 0 R >>".encode()
        self._outline = f"/Outlines {root} 0 R"
        return self

    def _entries(self, entries: Sequence[Entry], parent: int) -> tuple[int, int]:
        numbers = [self.add(b"") for _ in entries]
        for place, (entry, number) in enumerate(zip(entries, numbers, strict=True)):
            body = f"/Title ({entry.title}) /Parent {parent} 0 R"
            body += f" /Dest [{self._pages[entry.page]} 0 R /XYZ 0 {PAGE_HEIGHT} 0]"
            if place:
                body += f" /Prev {numbers[place - 1]} 0 R"
            if place + 1 < len(numbers):
                body += f" /Next {numbers[place + 1]} 0 R"
            if entry.children:
                first, last = self._entries(entry.children, number)
                body += f" /First {first} 0 R /Last {last} 0 R /Count {len(entry.children)}"
            self._objects[number - 1] = f"<< {body} >>".encode()
        return numbers[0], numbers[-1]

    def encrypted(self) -> "Pdf":
        """With the keys of a password that nobody knows."""
        keys = "/O <" + "3f" * 32 + "> /U <" + "a7" * 32 + ">"
        number = self.add(f"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 {keys} >>".encode())
        self._trailer = f"/Encrypt {number} 0 R /ID [<{'11' * 16}> <{'11' * 16}>]"
        return self

    def tree(self, body: str) -> "Pdf":
        """Instead of the tree of the pages that were added."""
        page = self._pages[0] if self._pages else 0
        self._objects[self._tree - 1] = body.replace("{tree}", str(self._tree)).replace("{page}", str(page)).encode()
        return self

    def bytes(self) -> bytes:
        if not self._objects[self._tree - 1]:
            kids = " ".join(f"{number} 0 R" for number in self._pages)
            self._objects[self._tree - 1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} >>".encode()
        catalog = self.add(f"<< /Type /Catalog /Pages {self._tree} 0 R {self._outline} >>".encode())
        written = bytearray(b"%PDF-1.7\n")
        places = []
        for number, body in enumerate(self._objects, start=1):
            places.append(len(written))
            written += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        table = len(written)
        written += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
        written += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
        trailer = f"<< /Size {len(places) + 1} /Root {catalog} 0 R {self._trailer} >>"
        return bytes(written + f"trailer\n{trailer}\nstartxref\n{table}\n%%EOF\n".encode())


def _show(line: Text, x: float, y: float) -> str:
    text = line.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{line.font} {line.size} Tf {x} {y} Td ({text}) Tj ET"


def pdf(*paragraphs: str) -> bytes:
    """One page."""
    return Pdf().page([line for text in paragraphs for line in wrapped(text)]).bytes()


def scan(text: str = "A scanned page", size: tuple[int, int] = (600, 800)) -> Image.Image:
    """A picture of writing."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((40, 40), text, fill=0)
    return image


def picture(kind: str = "PNG", image: Image.Image | None = None) -> bytes:
    buffer = io.BytesIO()
    (image or scan()).save(buffer, kind)
    return buffer.getvalue()


def word(*parts: tuple[str, str]) -> bytes:
    """Paragraphs as (style, text)."""
    document = docx.Document()
    for style, text in parts:
        document.add_paragraph(text, style=style)
    return saved(document)


def slide_deck(*slides: tuple[str, str, str]) -> bytes:
    """Slides as (title, text, notes)."""
    deck = pptx.Presentation()
    for title, text, notes in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    return saved(deck)


def saved(document: object) -> bytes:
    """Of a document of python-docx or python-pptx."""
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined] # both have it
    return buffer.getvalue()


def zipped(entries: Mapping[str, bytes | str], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return buffer.getvalue()


def with_part(package: bytes, name: str, content: bytes | str) -> bytes:
    """The package with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(package)) as found:
        parts: dict[str, bytes | str] = {entry: found.read(entry) for entry in found.namelist()}
    return zipped({**parts, name: content})


def part(package: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as found:
        return found.read(name)


def epub(*pages: str, title: str = "A book", extra: Mapping[str, str | bytes] | None = None, toc: str = "") -> bytes:
    """Pages are the bodies of XHTML files, in the order of the spine."""
    items = "".join(
        f'<item id="p{number}" href="text/p%20{number}.xhtml" media-type="application/xhtml+xml"/>'
        for number in range(len(pages))
    )
    spine = "".join(f'<itemref idref="p{number}"/>' for number in range(len(pages)))
    if toc:
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    book = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    files: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": (
            '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
            '<rootfiles><rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
            "</container>"
        ),
        "OPS/book.opf": book,
    }
    for number, body in enumerate(pages):
        files[f"OPS/text/p {number}.xhtml"] = (
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{number}</title></head><body>{body}</body></html>'
        )
    if toc:
        files["OPS/toc.ncx"] = toc
    return zipped({**files, **(extra or {})})
