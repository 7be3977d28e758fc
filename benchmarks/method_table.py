"""The README's table of methods, written from the registry.

python -m benchmarks.method_table
python -m benchmarks.method_table --check
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from secant.methods import REGISTRY

PAGE = Path(__file__).resolve().parent.parent / "README.md"

BEGIN, END = "<!-- methods -->", "<!-- /methods -->"


def table() -> str:
    """A line for each method of the registry."""
    lines = ["| name | method | source |", "| --- | --- | --- |"]
    for entry in REGISTRY.values():
        also = f" (also `{'`, `'.join(entry.aliases)}`)" if entry.aliases else ""
        lines.append(f"| `{entry.name}`{also} | {entry.summary} | {entry.source} |")
    return "\n".join(lines)


def updated(text: str) -> str:
    """``text`` with the table between its marks brought up to date."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Write the table, or say whether it is up to date."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.method_table")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if it is not")
    check = parser.parse_args().check
    old = PAGE.read_text(encoding="utf-8")
    new = updated(old)
    if check and old != new:
        print(f"{PAGE.name} is out of date: run python -m benchmarks.method_table")
        return 1
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
