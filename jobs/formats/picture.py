"""Pictures of pages: made small enough to be looked at."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from jobs.formats.base import Picture, UnreadableMaterial

PIXELS_MAX = 100_000_000
EDGE_PIXELS_MAX = 1568
"""A model scales down what is larger."""

QUALITY = 80
FORMATS = ("PNG", "JPEG", "WEBP")


def read(content: bytes, key: str) -> Picture:
    """Raises UnreadableMaterial."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                raise UnreadableMaterial(f"it has more than {PIXELS_MAX // 1_000_000} million pixels")
            image.draft("RGB", (EDGE_PIXELS_MAX, EDGE_PIXELS_MAX))
            return shrunk(image, key)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise UnreadableMaterial("it is damaged or no picture") from error


def shrunk(image: Image.Image, key: str) -> Picture:
    smaller = image.convert("RGB")
    smaller.thumbnail((EDGE_PIXELS_MAX, EDGE_PIXELS_MAX))
    buffer = BytesIO()
    smaller.save(buffer, "JPEG", quality=QUALITY)
    return Picture(key, buffer.getvalue())
