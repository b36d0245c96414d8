"""The formats by name."""

import pytest

from service.exports.formats import FORMATS
from tests.service.exports.contents import one_of_each
from tests.web import samples


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_every_type_and_nothing_at_all(name: str) -> None:
    export_format = FORMATS[name]
    assert export_format.write(samples.quiz(), one_of_each())
    assert isinstance(export_format.write(samples.quiz(), []), bytes)
    assert export_format.suffix.isalnum()
    assert "/" in export_format.media_type
