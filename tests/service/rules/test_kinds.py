"""A file is what its name says, or it is refused by its first bytes."""

import pytest

from service.rules import kinds
from tests.documents import PROSE, epub, pdf, picture, slide_deck, word, zipped

SOUND = {
    ".pdf": pdf(PROSE),
    ".docx": word(("Normal", PROSE)),
    ".pptx": slide_deck(("Leaves", PROSE, "")),
    ".epub": epub(PROSE),
    ".zip": zipped({"a.txt": PROSE}),
    ".png": picture("PNG"),
    ".jpg": picture("JPEG"),
    ".webp": picture("WEBP"),
    ".md": PROSE.encode(),
    ".html": b"<p>Leaves",
}


@pytest.mark.parametrize(("suffix", "content"), SOUND.items(), ids=SOUND)
def test_a_sound_file_is_what_its_name_says(suffix: str, content: bytes) -> None:
    assert kinds.lie(suffix, content) is None


@pytest.mark.parametrize("suffix", sorted(kinds.SUFFIXES - kinds.TEXTS))
@pytest.mark.parametrize("content", [b"", b"MZ\x90\x00", b"<!doctype html>", b"%!PS", b"\x7fELF"])
def test_another_file_is_not(suffix: str, content: bytes) -> None:
    assert kinds.lie(suffix, content) == f"is no {suffix} file, whatever its name says"


def test_a_pdf_may_begin_with_some_bytes_of_others() -> None:
    assert kinds.lie(".pdf", b"\r\n" * 100 + pdf(PROSE)) is None
    assert kinds.lie(".pdf", b"\r\n" * 1000 + pdf(PROSE)) is not None


def test_old_and_protected_office_files_are_told_what_to_do() -> None:
    assert "save it as .docx or .pptx without password" in str(kinds.lie(".docx", kinds.OLD_OFFICE))
