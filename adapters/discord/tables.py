"""A table of Markdown as aligned text, for a block of code: Discord shows no tables."""

import re
import unicodedata
from collections.abc import Sequence

from adapters.markdown_inline import scan

#: Beyond it lines are wrapped, and columns that stood below each other don't any more: then none is filled up.
_WIDEST_COLUMNS = 110
_PIPE = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"!?\[([^\]]*)\]\((\S+?)(?:\s[^)]*)?\)")
_RIGHT, _CENTER, _LEFT = ">", "^", "<"


def aligned(rows: Sequence[str]) -> list[str]:
    """Lines of text for the table's lines: header, delimiter row, rows."""
    cells = [_cells(row) for row in rows]
    count = len(cells[0])
    sides = [_side(cell) for cell in _padded(cells[1], count)] if len(cells) > 1 else [_LEFT] * count
    table = [_padded([_plain(cell) for cell in row], count) for number, row in enumerate(cells) if number != 1]
    widths = [max(width(row[column]) for row in table) for column in range(count)]
    if sum(widths) + 3 * (count - 1) > _WIDEST_COLUMNS:
        lines = [" | ".join(row) for row in table]
    else:
        lines = [_line(row, widths, sides) for row in table]
    rule = "-+-".join("-" * min(each, _WIDEST_COLUMNS // count) for each in widths)
    return [lines[0], rule, *lines[1:]]


def width(text: str) -> int:
    """In columns: East Asian letters take two, accents that stand on a letter none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cells(row: str) -> list[str]:
    row = row.strip()
    inner = row.removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip() for cell in _PIPE.split(inner)]


def _padded(cells: list[str], count: int) -> list[str]:
    """What is too much for the columns stays in the last one."""
    last = " | ".join(cells[count - 1 :])
    return [*cells[: count - 1], last] if len(cells) > count else cells + [""] * (count - len(cells))


def _side(cell: str) -> str:
    if cell.endswith(":"):
        return _CENTER if cell.startswith(":") else _RIGHT
    return _LEFT


def _plain(cell: str) -> str:
    """Without the marks, which would show in a code block."""
    cell = cell.replace("\\|", "|")
    cut = sorted(place for pair in scan(cell).pairs for place in _marks(pair.start, pair.end, len(pair.markup)))
    for start, end in reversed(cut):
        cell = cell[:start] + cell[end:]
    return _LINK.sub(lambda link: f"{link[1]} ({link[2]})" if link[1] != link[2] else link[2], cell)


def _marks(start: int, end: int, chars: int) -> list[tuple[int, int]]:
    return [(start, start + chars), (end - chars, end)]


def _line(row: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    cells = zip(row, widths, sides, strict=True)
    return " | ".join(_filled(cell, columns, side) for cell, columns, side in cells).rstrip()


def _filled(cell: str, columns: int, side: str) -> str:
    missing = columns - width(cell)
    before = {_LEFT: 0, _RIGHT: missing, _CENTER: missing // 2}[side]
    return " " * before + cell + " " * (missing - before)
