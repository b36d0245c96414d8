"""Streams are counted, in all and per owner, and given back however they end."""

import pytest

from service.api.seats import Seats


def test_there_are_so_many_in_all() -> None:
    seats = Seats(2, None)
    with seats.taken("ann") as first, seats.taken("ben") as second:
        assert first
        assert second
        with seats.taken("cem") as third:
            assert not third
    with seats.taken("cem") as again:
        assert again


def test_one_owner_does_not_take_those_of_another() -> None:
    seats = Seats(10, 1)
    with seats.taken("ann") as first, seats.taken("ann") as second, seats.taken("ben") as other:
        assert (first, second, other) == (True, False, True)


def test_a_seat_is_given_back_after_an_error() -> None:
    seats = Seats(1, None)
    with pytest.raises(ValueError, match="broke"), seats.taken("ann"):
        raise ValueError("broke")
    with seats.taken("ann") as is_free:
        assert is_free
