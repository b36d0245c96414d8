"""From the blocks of a document to its modules: by headings, none too small to ask about, none too long to send."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobs.formats.base import SECTION_CHARACTERS_MIN, Block, cleaned
from schemas.materials import ExtractedModule

SECTION_CHARACTERS_MAX = 60_000
NAME_CHARACTERS_MAX = 200
# From this share of its length on, a part may end early to let the next one begin with a heading.
EARLY_END_SHARE = 0.7
LEADERS_SHARE_MAX = 0.15

_LEADERS = re.compile(r"(?:\.[ .]){4,}")


class _Section(NamedTuple):
    name: str
    blocks: list[Block]

    @property
    def body_length(self) -> int:
        return sum(len(block.text) for block in self.blocks if not block.level)


def modules_of(
    blocks: Sequence[Block], title: str, *, section_characters_min: int = SECTION_CHARACTERS_MIN
) -> list[ExtractedModule]:
    """The modules of a document, with different names. `title` names what stands under no heading."""
    clean = [block for raw in blocks if (block := _cleaned(raw)).text]
    if not clean:
        return []
    level = _level_of_modules(clean)
    found = _sections(clean, level, _line(title) or "Untitled")
    small = section_characters_min
    sections = _merged(found, small) if small <= SECTION_CHARACTERS_MIN else _gathered(found, small)
    if len(sections) == 1:
        sections = [_Section(_document_name(clean, level, sections[0].name), sections[0].blocks)]
    return with_unique_names([_module(name, _text(part)) for section in sections for name, part in _parts(section)])


def _cleaned(block: Block) -> Block:
    text = cleaned(block.text)
    text = _line(text) if block.level else text.strip("\n").rstrip()
    return block._replace(text=text if text.strip() else "")


def _line(text: str) -> str:
    return " ".join(cleaned(text).split())


def _level_of_modules(blocks: Sequence[Block]) -> int:
    """The highest level with several headings: one heading on top is the title. 0 without headings."""
    counts = Counter(block.level for block in blocks if block.level)
    return min((level for level, count in counts.items() if count > 1), default=min(counts, default=0))


def _sections(blocks: Sequence[Block], level: int, title: str) -> list[_Section]:
    """What stands above the first heading of the level is a section too, under its own heading or the title."""
    opening = blocks[0].text if blocks[0].level else title
    sections = [_Section(opening, [])]
    for block in blocks:
        if 0 < block.level <= level:
            sections.append(_Section(block.text, []))
        sections[-1].blocks.append(block)
    return [section for section in sections if section.blocks]


def _merged(sections: Sequence[_Section], characters_min: int) -> list[_Section]:
    """Sections with too little text go to the end of the one before; the first one to the head of the next."""
    merged: list[_Section] = []
    length = 0
    for section in sections:
        is_first_too_small = length < characters_min
        if merged and is_first_too_small:
            merged[-1] = merged[-1]._replace(name=section.name)
        if merged and (is_first_too_small or section.body_length < characters_min):
            merged[-1].blocks.extend(section.blocks)
            length += section.body_length
        else:
            merged.append(section)
            length = section.body_length
    return merged


def _gathered(sections: Sequence[_Section], characters_min: int) -> list[_Section]:
    """Small ones in a row, such as slides, until they are enough together; what is left goes to the end."""
    gathered: list[_Section] = []
    for section in sections:
        if gathered and gathered[-1].body_length < characters_min:
            gathered[-1].blocks.extend(section.blocks)
        else:
            gathered.append(section)
    if len(gathered) > 1 and gathered[-1].body_length < characters_min:
        last = gathered.pop()
        gathered[-1].blocks.extend(last.blocks)
    return gathered


def _document_name(blocks: Sequence[Block], level: int, fallback: str) -> str:
    """The name of a document that stays in one piece: its first heading of the highest level."""
    tops = [block for block in blocks if 0 < block.level <= level]
    return min(tops, key=lambda block: block.level).text if tops else fallback


def _parts(section: _Section) -> Iterator[tuple[str, list[Block]]]:
    parts = list(_packed(section.blocks))
    for number, part in enumerate(parts, start=1):
        suffix = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
        yield _shortened(section.name, suffix), part


def _packed(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Parts of about equal length that break between blocks, before a heading where one is near."""
    pieces = [piece for block in blocks for piece in _pieces(block)]
    length = sum(len(piece.text) + 2 for piece in pieces)
    if length <= SECTION_CHARACTERS_MAX:
        yield pieces
        return
    wanted = length / -(-length // SECTION_CHARACTERS_MAX)
    part: list[Block] = []
    size = 0
    for piece in pieces:
        if part and _ends_before(piece, part, size=size, wanted=wanted):
            yield part
            part, size = [], 0
        part.append(piece)
        size += len(piece.text) + 2
    yield part


def _ends_before(piece: Block, part: Sequence[Block], *, size: int, wanted: float) -> bool:
    if size + len(piece.text) > SECTION_CHARACTERS_MAX:
        return True
    if part[-1].level:
        return False
    return size >= wanted or (piece.level > 0 and size >= wanted * EARLY_END_SHARE)


def _pieces(block: Block) -> Iterator[Block]:
    """A block as it is, or cut where a line, a sentence or a word ends when it alone is too long for a part."""
    text, start = block.text, 0
    while len(text) - start > SECTION_CHARACTERS_MAX:
        low, high = start + SECTION_CHARACTERS_MAX // 2, start + SECTION_CHARACTERS_MAX
        ends = (text.rfind(mark, low, high) + len(mark) for mark in ("\n", ". ", "\u3002", " "))
        end = next((end for end in ends if end > low), high)
        yield Block(text[start:end].strip("\n").rstrip(), is_tight=True)
        start = end
    yield block._replace(text=text[start:]) if start == 0 else Block(text[start:].lstrip("\n"), is_tight=True)


def _text(blocks: Sequence[Block]) -> str:
    pieces = [blocks[0].text]
    for block in blocks[1:]:
        pieces += ("\n" if block.is_tight else "\n\n", block.text)
    return "".join(pieces)


def with_unique_names(modules: Sequence[ExtractedModule]) -> list[ExtractedModule]:
    """Those whose name is taken get a number."""
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    found: list[ExtractedModule] = []
    for module in modules:
        unique = module.name
        while unique in taken:
            repeats[module.name] += 1
            unique = _shortened(module.name, f" ({repeats[module.name] + 1})")
        taken.add(unique)
        found.append(module.model_copy(update={"name": unique}))
    return found


def _module(name: str, text: str) -> ExtractedModule:
    return ExtractedModule(name=name, text=text, is_left_out=_is_directory(text))


def _is_directory(text: str) -> bool:
    """A table of contents or an index, by the dots that lead to its page numbers."""
    return sum(len(leader) for leader in _LEADERS.findall(text)) > LEADERS_SHARE_MAX * len(text)


def _shortened(name: str, suffix: str) -> str:
    room = NAME_CHARACTERS_MAX - len(suffix)
    return (name if len(name) <= room else name[: room - 1].rstrip() + "…") + suffix
