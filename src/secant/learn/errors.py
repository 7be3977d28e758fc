"""The one exception for data, options and files the user can put right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["InputError", "enough_memory", "is_end_of_memory", "listing", "suggestion"]


class InputError(ValueError):
    """What the user gave cannot be used; the message is one sentence that says why.

    The command line prints the message after ``error:`` and ends with exit code 2.
    """


def listing(names: Iterable[object], limit: int = 8) -> str:
    """The names, quoted and comma separated; those beyond `limit` are only counted."""
    quoted = [repr(str(name)) for name in names]
    shown = ", ".join(quoted[:limit])
    return f"{shown} and {len(quoted) - limit} more" if len(quoted) > limit else shown


def suggestion(name: str, known: Sequence[str]) -> str:
    """`did you mean ...?`, or what there is when nothing comes near."""
    folded = {entry.casefold(): entry for entry in reversed(known)}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)
    if near:
        return f"did you mean {listing(folded[entry] for entry in near)}?"
    return f"there is {listing(known)}"


def is_end_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out; PyTorch has no class of its own for it."""
    told = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return told or isinstance(error, MemoryError)


@contextmanager
def enough_memory(name: str) -> Iterator[None]:
    """Turn the end of the memory while a table is read into a sentence about the table."""
    try:
        yield
    except MemoryError:
        raise InputError(f"{name} is larger than the memory that there is") from None
