"""The formats that a quiz can be exported to."""

from service.exports import csv_file, json_file
from service.exports.base import ExportFormat

FORMATS = {
    "csv": ExportFormat(suffix="csv", media_type="text/csv; charset=utf-8", write=csv_file.write),
    "json": ExportFormat(suffix="json", media_type="application/json", write=json_file.write),
}
