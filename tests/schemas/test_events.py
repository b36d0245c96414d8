"""Events know what they are called and whether they end a log."""

from uuid import UUID

import pytest

from schemas import events
from schemas.events import ENDINGS, TERMINAL_TYPES, Event, Happening
from schemas.states import TERMINAL_GENERATION_STATES, GenerationState


def named() -> dict[str, type[Happening]]:
    """Every kind of event by its class."""
    found = [value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Happening)]
    return {kind.__name__: kind for kind in found if hasattr(kind, "type")}


def test_every_kind_of_event_has_a_name_of_its_own() -> None:
    types = [kind.type for kind in named().values()]
    assert len(set(types)) == len(types) == 14
    assert {name.partition(".")[0] for name in types} == {"generation", "batch", "question"}


def test_every_terminal_state_has_its_event() -> None:
    assert set(ENDINGS) == TERMINAL_GENERATION_STATES
    for state, ending in ENDINGS.items():
        assert ending.type == f"generation.{state}"


@pytest.mark.parametrize("kind", named().values(), ids=lambda kind: kind.type)
def test_an_event_ends_a_log_when_its_type_does(kind: type[Happening]) -> None:
    event = Event(generation_id=UUID(int=1), seq=1, type=kind.type, data="{}")
    assert event.is_terminal is (kind in ENDINGS.values())
    assert event.is_terminal is (kind.type in TERMINAL_TYPES)


def test_a_state_knows_whether_it_is_an_end() -> None:
    assert [state for state in GenerationState if not state.is_terminal] == [
        GenerationState.PENDING,
        GenerationState.PROCESSING,
        GenerationState.PAUSED,
    ]
