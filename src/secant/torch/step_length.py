"""What ``lr`` and ``line_search_fn`` mean: the first guess of a search, or the step itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from secant import checks
from secant.arrays import namespace, read
from secant.encoding import Reader, Writer
from secant.linesearch import FirstStep, FixedStep, HagerZhang, LineSearch, StrongWolfe, UnitStep
from secant.linesearch.initial import Previous
from secant.linesearch.ray import Ray, Trial
from secant.linesearch.search import Memory

WORDS = ("strong_wolfe", "hager_zhang")
"""Searches by name, as ``line_search_fn``."""


@dataclass(frozen=True)
class Times(FirstStep):
    """Another rule's guess times ``factor``, the optimizer's ``lr``.

    Parameters
    ----------
    rule : FirstStep
    factor : float
    """

    rule: FirstStep
    factor: float

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        return self.factor * self.rule.guess(ray, previous)


@dataclass(frozen=True)
class InverseOneNorm(FirstStep):
    """``min(1, 1 / |g|_1)``: PyTorch's first step, which no search will check."""

    def guess(self, ray: Ray, previous: Previous | None) -> float:
        g = ray.point.g
        (size,) = read(namespace(g).abs(g).sum())
        return 1.0 / max(size, 1.0)


@dataclass(frozen=True)
class AsGuessed(LineSearch):
    """The guessed step whatever the value there, halved while that is not finite."""

    needs_descent: ClassVar[bool] = False

    def __call__(self, ray: Ray, alpha0: float, memory: Memory = ()) -> Trial:
        return FixedStep(alpha0)(ray, alpha0)


@dataclass(frozen=True)
class Demands:
    """What a kind of direction asks of its step lengths.

    Parameters
    ----------
    c2 : float
        Curvature constant of the searches that have a name.
    first : FirstStep or None
        Rule of the steps without a search; None where there have to be searches.
    """

    c2: float = 0.9
    first: FirstStep | None = UnitStep(first=InverseOneNorm())


@dataclass(frozen=True)
class StepLength:
    """A search and the rule for its first guess.

    Parameters
    ----------
    search : LineSearch
    first : FirstStep
    """

    search: LineSearch
    first: FirstStep = field(default_factory=UnitStep)

    @classmethod
    def of(cls, line_search_fn: Any, first: FirstStep, rule: Demands, lr: float) -> StepLength:
        """What an optimizer's options mean; ``first`` is the guess that its searches begin with."""
        if line_search_fn is None:
            checks.require(
                rule.first is not None,
                "line_search_fn",
                line_search_fn,
                f"one of {', '.join(WORDS)} or a search: these directions need one",
            )
            search: LineSearch = AsGuessed()
            first = rule.first or first
        else:
            search = search_of(line_search_fn, rule.c2)
        return cls(search, first if lr == 1.0 else Times(first, lr))


def search_of(given: Any, c2: float) -> LineSearch:
    """A search from its name, from what `plain` made of it, or as it is."""
    if given == "strong_wolfe":
        return StrongWolfe(c2=c2)
    if given == "hager_zhang":
        return HagerZhang(c2=c2)
    if isinstance(given, str) and given.startswith("{"):
        given = Reader({}, None, None).decode(json.loads(given))
    checks.require(
        isinstance(given, LineSearch),
        "line_search_fn",
        given,
        f"None, one of {', '.join(WORDS)}, or a search such as secant.StrongWolfe(c2=0.5)",
    )
    search: LineSearch = given
    return search


def plain(given: Any) -> Any:
    """``line_search_fn`` as a string or None, which is what a ``state_dict`` may hold."""
    if not isinstance(given, LineSearch):
        return given
    return json.dumps(Writer(arrays_allowed=False).encode(given))
