"""The kinds of files that are read, and whether a file is what its name says: by its first bytes."""

from typing import Final

MARKDOWN: Final = frozenset({".md", ".markdown"})
PLAIN: Final = frozenset({".txt", ".text"})
HTML: Final = frozenset({".html", ".htm", ".xhtml"})
TEXTS: Final = MARKDOWN | PLAIN | HTML
PACKAGES: Final = frozenset({".docx", ".pptx", ".epub", ".zip"})
IMAGES: Final = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
SUFFIXES: Final = TEXTS | PACKAGES | {".pdf"} | set(IMAGES)

NAMES: Final = "PDF, Word, PowerPoint, EPUB, HTML, Markdown, plain text, pictures, or a zip of these"

PDF_HEADER_WITHIN_BYTES: Final = 1024
"""Readers of PDF allow for some bytes before its header."""

OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_SIGNATURES: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n", 0),
    "image/jpeg": (b"\xff\xd8\xff", 0),
    "image/webp": (b"WEBP", 8),
}


def lie(suffix: str, content: bytes) -> str | None:
    """What is wrong with a file whose bytes are not of the kind that its suffix names; None when they are."""
    if suffix in PACKAGES and content.startswith(OLD_OFFICE):
        return "is protected with a password or of an old Office version: save it as .docx or .pptx without password"
    return None if _fits(suffix, content) else f"is no {suffix} file, whatever its name says"


def _fits(suffix: str, content: bytes) -> bool:
    if suffix == ".pdf":
        return b"%PDF-" in content[:PDF_HEADER_WITHIN_BYTES]
    if suffix in PACKAGES:
        return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    if suffix in IMAGES:
        signature, offset = _SIGNATURES[IMAGES[suffix]]
        return content.startswith(signature, offset)
    return True
