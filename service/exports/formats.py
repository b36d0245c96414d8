"""The formats that a quiz can be exported to."""

from typing import Final

from service.exports import anki_deck, csv_file, gift, json_file, moodle_xml, qti, qti21
from service.exports.base import ExportFormat

FORMATS: Final = {
    "qti": ExportFormat(
        suffix="zip", media_type="application/zip", write=qti.write, obstacle=qti.obstacle, omits=qti.OMITS
    ),
    "qti21": ExportFormat(
        suffix="zip", media_type="application/zip", write=qti21.write, obstacle=qti21.obstacle, omits=qti21.OMITS
    ),
    "moodle-xml": ExportFormat(
        suffix="xml",
        media_type="application/xml",
        write=moodle_xml.write,
        obstacle=moodle_xml.obstacle,
        omits=moodle_xml.OMITS,
    ),
    "gift": ExportFormat(
        suffix="gift",
        media_type="text/plain; charset=utf-8",
        write=gift.write,
        obstacle=gift.obstacle,
        omits=gift.OMITS,
    ),
    "anki": ExportFormat(
        suffix="apkg", media_type="application/octet-stream", write=anki_deck.write, omits=anki_deck.OMITS
    ),
    "csv": ExportFormat(suffix="csv", media_type="text/csv; charset=utf-8", write=csv_file.write),
    "json": ExportFormat(suffix="json", media_type="application/json", write=json_file.write),
}

OTHER_SUFFIXES: Final = {"txt": "gift"}


def of_suffix(suffix: str) -> str | None:
    """The name of the format that files with this suffix (without the dot) have; of several the first."""
    found = (name for name, export_format in FORMATS.items() if export_format.suffix == suffix.lower())
    return next(found, None) or OTHER_SUFFIXES.get(suffix.lower())
