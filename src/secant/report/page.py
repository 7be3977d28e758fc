"""A page as plain data: a title, highlights, and sections of tables, figures, lists and code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Facts",
    "Figure",
    "Highlight",
    "Note",
    "Page",
    "Section",
    "Table",
]


@dataclass(frozen=True)
class Highlight:
    """One result in large type."""

    value: str
    label: str


@dataclass(frozen=True)
class Facts:
    """Names with their values, one below the other."""

    kind: ClassVar[str] = "facts"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table; the first `text_columns` columns hold text, the others numbers."""

    kind: ClassVar[str] = "table"
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


@dataclass(frozen=True)
class Figure:
    """A picture as SVG markup, with a caption and a description for those who do not see it.

    A wide one has a line of its own.
    """

    kind: ClassVar[str] = "figure"
    svg: str
    caption: str
    description: str
    wide: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """A sentence or two in small type."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class Code:
    """Text to copy."""

    kind: ClassVar[str] = "code"
    text: str


Block = Facts | Table | Figure | Bullets | Note | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; figures stand side by side, or beside their table."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """What links to the section."""
        return re.sub(r"[^a-z]+", "-", self.title.lower()).strip("-")

    @property
    def groups(self) -> list[list[Block]]:
        """The blocks in order, a figure together with the figures and tables that follow it."""
        groups: list[list[Block]] = []
        for block in self.blocks:
            beside = groups and all(_stands_beside(other) for other in groups[-1])
            starts_with_figure = groups and isinstance(groups[-1][0], Figure)
            if beside and starts_with_figure and _stands_beside(block):
                groups[-1].append(block)
            else:
                groups.append([block])
        return groups


def _stands_beside(block: Block) -> bool:
    return isinstance(block, Table) or (isinstance(block, Figure) and not block.wide)


@dataclass(frozen=True)
class Page:
    """A whole page."""

    title: str
    subtitle: str
    highlights: tuple[Highlight, ...]
    sections: tuple[Section, ...]
    footer: str
