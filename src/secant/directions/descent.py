"""What second-order directions share: the gradient step that stands in where there is no other."""

from __future__ import annotations

import math

from secant.arrays import Array, inner
from secant.curvature.initial_scale import StepScale
from secant.point import Point


def gradient_step(point: Point) -> Array:
    """``-gamma g``, as long as x."""
    return -StepScale().gamma(point) * point.g


def descends(d: Array, g: Array) -> bool:
    """Whether ``d`` is finite and leads downhill."""
    return -math.inf < inner(g, d) < 0.0
