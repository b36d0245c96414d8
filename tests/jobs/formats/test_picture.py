"""Pictures become small enough to be looked at, or are refused."""

from io import BytesIO

import pytest
from PIL import Image

from jobs.formats import picture as reader
from jobs.formats.base import UnreadableMaterial
from tests.documents import picture, scan


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_kind_becomes_a_jpeg_that_is_not_too_large(kind: str) -> None:
    found = reader.read(picture(kind, scan(size=(3000, 4000))), "1")
    with Image.open(BytesIO(found.content)) as image:
        assert (image.format, image.size) == ("JPEG", (1176, 1568))


def test_a_picture_with_see_through_parts_is_read() -> None:
    assert reader.read(picture("PNG", Image.new("RGBA", (10, 10))), "1").content


def test_a_picture_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # A hundred million would take long to make.
    monkeypatch.setattr(reader, "PIXELS_MAX", 100 * 100)
    assert reader.read(picture("PNG", scan(size=(100, 100))), "1")
    with pytest.raises(UnreadableMaterial, match="million pixels"):
        reader.read(picture("PNG", scan(size=(100, 101))), "1")


@pytest.mark.parametrize("content", [b"", picture()[:200], b"GIF89a" + bytes(100)])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableMaterial, match="it is damaged or no picture"):
        reader.read(content, "1")
