"""Replay recorded searches: piecewise cubic Hermite interpolation of (alpha, f, slope).

``hard_searches.json`` holds searches that cost many evaluations when quasi-Newton methods met them, each
as samples of phi. To add one: sample phi and its slope where searches looked and in between.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

from rays import Recorded


class HardSearch(NamedTuple):
    """One recorded search: where it was met, the step first tried, and samples of phi."""

    name: str
    alpha0: float
    samples: list[tuple[float, float, float]]

    def recorded(self) -> Recorded:
        """phi, between its samples the cubic with their values and slopes, beyond them a line."""
        return Recorded(lambda a: self._at(a)[0], lambda a: self._at(a)[1])

    def _at(self, alpha: float) -> tuple[float, float]:
        i = bisect_right([sample[0] for sample in self.samples], alpha) - 1
        a, fa, ga = self.samples[i]
        if i == len(self.samples) - 1:
            return fa + ga * (alpha - a), ga
        b, fb, gb = self.samples[i + 1]
        h = b - a
        t = (alpha - a) / h
        rise = (fb - fa) / h
        p, q = 3.0 * rise - 2.0 * ga - gb, ga + gb - 2.0 * rise
        return fa + h * t * (ga + t * (p + t * q)), ga + t * (2.0 * p + 3.0 * t * q)


def hard_searches() -> list[HardSearch]:
    """All recorded searches."""
    text = (Path(__file__).parent / "hard_searches.json").read_text()
    return [HardSearch(s["name"], s["alpha0"], s["samples"]) for s in json.loads(text)]
