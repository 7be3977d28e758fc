"""How many threads a training is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from secant.threads import Single

__all__ = ["threads_for"]

# Rows times weights of one evaluation, below which one thread is as fast as several: it takes
# about a millisecond, and on a busy machine threads that wait for each other take far longer.
_WORTH_SHARING = 2_000_000


@contextmanager
def threads_for(products: int) -> Iterator[None]:
    """Let torch and BLAS use one thread while the work is small; afterwards all is as before."""
    if products >= _WORTH_SHARING:
        yield
        return
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        with Single():
            yield
    finally:
        if before != 1:
            torch.set_num_threads(before)
