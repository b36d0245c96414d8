"""The newest blocks of a log, in memory that is bounded."""

from service.api.tail import BYTES_MAX, EVENTS_MAX, Tail


def filled(count: int, *, head: int = 0, block: bytes = b"%d;") -> Tail:
    tail = Tail(head)
    for number in range(head + 1, head + count + 1):
        tail.append(block % number if b"%d" in block else block)
    return tail


def test_it_gives_what_follows_a_number_in_one_piece() -> None:
    tail = filled(5, head=10)
    assert tail.after(12) == (b"13;14;15;", 15)
    assert tail.after(10) == (b"11;12;13;14;15;", 15)


def test_what_it_has_not_is_not_there() -> None:
    assert filled(5, head=10).after(9) is None
    assert Tail(7).after(6) is None


def test_it_forgets_the_oldest_when_they_are_too_many() -> None:
    tail = filled(EVENTS_MAX + 3)
    assert tail.after(2) is None
    found = tail.after(3)
    assert found is not None
    assert found.joined.startswith(b"4;5;")


def test_it_forgets_the_oldest_when_they_are_too_large() -> None:
    tail = filled(5, block=b"x" * (BYTES_MAX // 3))
    assert tail.after(1) is None
    found = tail.after(2)
    assert found is not None
    assert len(found.joined) <= BYTES_MAX


def test_many_who_ask_from_the_same_place_get_the_same_bytes_until_more_comes() -> None:
    tail = filled(5)
    first, again = tail.after(2), tail.after(2)
    assert first is again
    tail.append(b"6;")
    assert tail.after(2) == (b"3;4;5;6;", 6)
