"""Run every Python example of the documentation and compare what it prints.

    python -m benchmarks.examples
    python -m benchmarks.examples README.md docs/minimize.md

The ``python`` blocks of a page are executed in their order in one namespace. Where a ``text`` block comes
next, it is what the block prints.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n+^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One example: its line in the page, its code, and what it prints (None where that is not shown)."""

    line: int
    code: str
    output: str | None


def pages() -> list[Path]:
    """The pages that have examples."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The examples of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield Block(text.count("\n", 0, match.start()) + 2, match["code"], match["output"])


def run(page: Path) -> int:
    """Execute a page's examples in a fresh folder; the number of them.

    Raises
    ------
    AssertionError
        If an example prints something else than its page says.
    Exception
        Whatever an example raises.
    """
    examples = list(blocks(page))
    module = ModuleType("example")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in examples:
            code = compile(
                "\n" * (block.line - 1) + block.code, os.fspath(page), "exec", dont_inherit=True
            )
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, module.__dict__)
            if block.output is not None:
                found = printed.getvalue()
                where = f"{page.name}, line {block.line}"
                assert found == block.output, f"{where} prints\n{found}\nnot\n{block.output}"
    return len(examples)


def main() -> None:
    """Run the pages named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.examples")
    parser.add_argument("pages", type=Path, nargs="*")
    for page in parser.parse_args().pages or pages():
        print(f"{page.resolve().relative_to(ROOT)}: {run(page)} examples")


if __name__ == "__main__":
    main()
