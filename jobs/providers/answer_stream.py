"""Reads a streamed JSON answer and hands over each question object at the moment it closes."""

import re

_AT_TOP = re.compile(r"[{\[]")
_IN_JSON = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'"|\\.', re.DOTALL)
_CLOSES = {"{": "}", "[": "]"}


class AnswerStream:
    """Finds the objects in the array of `{"questions": [{...}, {...}]}` while the text arrives in pieces of any size.

    Only brackets and strings are read here; whether an object is a sound question is decided by who gets its text.
    Prose and code fences around the JSON are skipped, and a bare top-level array is as good.
    """

    def __init__(self) -> None:
        self._text = ""
        self._position = 0
        self._open: list[str] = []
        self._is_in_string = False
        self._question_start: int | None = None
        self._has_begun = False
        self._is_broken = False
        self.question_count = 0

    @property
    def is_complete(self) -> bool:
        """Whether the JSON was closed as it was opened."""
        return self._has_begun and not self._open and not self._is_broken

    def feed(self, piece: str) -> list[str]:
        """The text of every question object that this piece closes, in order."""
        self._text += piece
        closed: list[str] = []
        while not self._is_broken and (mark := self._next_mark()):
            match mark:
                case '"':
                    self._is_in_string = not self._is_in_string
                case "{" | "[":
                    self._enter(mark)
                case "}" | "]":
                    closed += self._leave(mark)
                case _:
                    pass  # an escape inside a string, stepped over as a whole
        self._forget()
        return closed

    def _next_mark(self) -> str | None:
        pattern = _IN_STRING if self._is_in_string else _IN_JSON if self._open else _AT_TOP
        found = pattern.search(self._text, self._position)
        if found is None:
            # A backslash at the very end waits for the character that it escapes.
            is_waiting = self._is_in_string and self._text.endswith("\\", self._position)
            self._position = len(self._text) - is_waiting
            return None
        self._position = found.end()
        return found.group()

    def _enter(self, bracket: str) -> None:
        if bracket == "{" and self._is_among_questions():
            self._question_start = self._position - 1
        self._open.append(bracket)
        self._has_begun = True

    def _leave(self, bracket: str) -> list[str]:
        self._is_broken = _CLOSES[self._open.pop()] != bracket
        if self._is_broken or self._question_start is None or not self._is_among_questions():
            return []
        question = self._text[self._question_start : self._position]
        self._question_start = None
        self.question_count += 1
        return [question]

    def _is_among_questions(self) -> bool:
        return self._open in (["["], ["{", "["])

    def _forget(self) -> None:
        """Keep only what is still needed: the question that is open, or nothing."""
        keep_from = self._position if self._question_start is None else self._question_start
        self._text = self._text[keep_from:]
        self._position -= keep_from
        if self._question_start is not None:
            self._question_start = 0
