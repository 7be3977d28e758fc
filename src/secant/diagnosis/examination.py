"""The values of f that are asked for at a point in question, one finding after the other."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from secant.arrays import HostArray, eps_of, like, step_along, to_numpy
from secant.derivatives.line import (
    Along,
    Line,
    Precision,
    Slope,
    centred_curvature,
    centred_slope,
    fitted_slope,
    sample,
)
from secant.derivatives.locate import worst_component
from secant.derivatives.noise import noise_level
from secant.diagnosis import sentences
from secant.diagnosis.cause import Diagnosis
from secant.diagnosis.suspicion import CERTAIN, Course, Suspicion, bend
from secant.point import Point
from secant.problem import Problem

_CONFIRMED = 10.0
"""A slope that is accused must be so many times the error of a fit to more values away from it."""

_FARTHER = 30.0
"""It must be found again over a step so many times longer."""

_STRIDE, _FARTHEST = 8.0, 1e3
"""A way down is followed in steps each so many times longer, to so many times the size of x."""

_VISIBLE = 10.0
"""Changes of f by more than so many times its round-off can be seen."""

_HALVINGS = 10
"""The edge of a stair is found to a thousandth of its distance."""

_WIDE = 0.1
"""Differences of a very noisy f take steps up to this fraction of x."""


class Examination:
    """The point in question, how precisely f can be known there, and directions through it."""

    def __init__(self, problem: Problem, point: Point, highest: float) -> None:
        self.problem, self.point, self.highest = problem, point, highest
        self.x, self.g = (to_numpy(a).astype(np.float64) for a in (point.x, point.g))
        self.eps = eps_of(point.x)
        self.magnitude = abs(point.f) + float(np.abs(self.g) @ np.abs(self.x))
        self.round_off = self.eps * self.magnitude
        self.scale = float(np.maximum(1.0, np.abs(self.x)).max())

    def verdict(self) -> Diagnosis:
        """What is the matter: chance, a pole, a kink, or what a smooth f has."""
        again = [self.problem.at(self.point.x).f for _ in range(2)]
        spread = max(abs(f - self.point.f) for f in again)
        if not spread <= 10.0 * self.eps * abs(self.point.f):
            return sentences.not_deterministic(self.point.f, again)
        line = self._downhill()
        if not line.is_finite:
            return sentences.not_finite(line.h)
        if line.kink is not None:
            return sentences.kink(line.kink)
        return self._of_smooth(line)

    def _of_smooth(self, line: Line) -> Diagnosis:
        # A small difference of terms as large as f was at the start is noisy by rounding alone.
        by_rounding = max(self.eps**0.75 * self.magnitude, 10.0 * self.eps * self.highest)
        is_noisy = line.noise > by_rounding
        by_differences = self.problem.gradient_error > 4.0 * self.eps
        suspicion = None if is_noisy and by_differences else self._suspicion(line, is_noisy)
        if suspicion is not None:
            roughness = self._roughness(suspicion, line)
            if roughness > 0.0:
                is_noisy, line = True, replace(line, noise=max(line.noise, roughness))
            elif by_differences:
                return sentences.coarse(suspicion)
            else:
                return self._after_trial(suspicion, line)
        return self._by_promise(line, is_noisy)

    def _after_trial(self, found: Suspicion, line: Line) -> Diagnosis:
        """The gradient is accused only by differences that more values, and other gradients, confirm."""
        hidden = self._hidden(found)
        if hidden > 0.0:
            return self._by_promise(replace(line, noise=max(line.noise, hidden)), True)
        phi = Course(self.problem, self.point, found.v)
        slope, noise = fitted_slope(phi, self.point.f, found.h)
        gap = abs(slope.value - found.given)
        if not _CONFIRMED * slope.error <= gap:
            noise = noise if noise < math.inf else 0.0
            return self._by_promise(replace(line, noise=max(line.noise, noise)), False)
        if not CERTAIN * bend(phi, found) <= gap:
            return sentences.too_fast(found.h)
        return self._accuse(found)

    def _by_promise(self, line: Line, is_noisy: bool) -> Diagnosis:
        """What is left to say of a right gradient."""
        if is_noisy:
            line = replace(line, noise=max(line.noise, self._noise_farther(line)))
        along, in_units = self._promise(line), self._promise_in_units(line.noise)
        promise = max(along, in_units)
        # the values farther off may be so much larger that their rounding says nothing of f here
        round_off = self.round_off if is_noisy else max(self.round_off, line.noise)
        if promise <= _VISIBLE * round_off:
            return sentences.round_off(promise, round_off)
        if is_noisy:
            return sentences.noisy(line, self.point.f, promise)
        if along <= _VISIBLE * round_off:
            return sentences.hidden_by_units(in_units)
        return sentences.unknown(promise, line)

    def _promise(self, line: Line) -> float:
        """``(g'p)^2 / 2 phi''``: the decrease to the parabola's bottom; infinite if it has none."""
        p = self._steepest()
        curvature = line.curvature
        if curvature.value <= 2.0 * curvature.error:
            h = self._step(line.noise, 0.25) * self.scale
            curvature = self._curvature(self._along(p), h, line.noise, self.scale)
        if not curvature.value > 2.0 * curvature.error:
            return math.inf
        far = self._curvature(self._along(p), _FARTHER * line.h, line.noise, self.scale)
        if 2.0 * far.error < far.value < curvature.value:  # a wave that looks smooth from close by
            curvature = far
        return _to_the_bottom(float(p @ self.g), curvature.value)

    def _promise_in_units(self, noise: float) -> float:
        """The same along -g with each variable in units of itself, or what values there are lower.

        Where variables differ by many orders of magnitude, f cannot be lowered along -g itself.
        """
        parts = self.g * self.x
        largest = float(np.abs(parts).max())
        if not 0.0 < largest < math.inf:
            return 0.0
        p = -parts / largest * self.x
        phi = self._along(p)
        seen = self._fall(phi, noise)
        curvature = self._curvature(phi, self._step(noise, 0.25), noise, 1.0)
        if not curvature.value > 2.0 * curvature.error:
            return seen
        return max(seen, _to_the_bottom(float(p @ self.g), curvature.value))

    def _fall(self, phi: Along, noise: float) -> float:
        """How far f is seen to fall on a line before it rises: beyond a rise lies another valley.

        A parabola knows only its own bottom. Next to a saddle, or on a floor that is flat in some variables,
        f falls on far beyond that.
        """
        visible = _VISIBLE * max(self.round_off, noise)
        t, lowest = math.sqrt(self.eps), self.point.f
        while t < _FARTHEST:
            f = phi(t)
            if not f <= lowest + visible:
                break
            t, lowest = _STRIDE * t, min(lowest, f)
        return self.point.f - lowest

    # ------------------------------------------------------------------------------ directions

    def _along(self, v: HostArray) -> Along:
        direction = like(v, self.point.x)

        def phi(t: float) -> float:
            return self.problem.at(step_along(self.point.x, t, direction)).f

        return phi

    def _downhill(self) -> Line:
        """Seven values along ``-g / |g|``."""
        h = self.eps**0.4 * self.scale
        return sample(self._along(self._steepest()), self.point.f, h, self._precision(self.scale))

    def _steepest(self) -> HostArray:
        unit = self.g / np.abs(self.g).max()  # squares of tiny components would underflow
        steepest: HostArray = -unit / math.sqrt(unit @ unit)
        return steepest

    def _random(self) -> HostArray:
        """Every coordinate up or down by its own size: an error in any component shows."""
        signs = np.random.default_rng(0).choice([-1.0, 1.0], self.x.size)
        random: HostArray = signs * np.maximum(1.0, np.abs(self.x))
        return random

    # --------------------------------------------------------------------------- the gradient

    def _suspicion(self, line: Line, is_noisy: bool) -> Suspicion | None:
        """A direction along which f's slope is not the gradient's, -g first, then any other."""
        h, p, v = self._step(line.noise), self._steepest(), self._random()
        along_p = Suspicion(p, float(p @ self.g), line.h, line.slope, self.scale)
        if is_noisy:  # the step that shows noise best is too short for a slope
            along_p = self._slope(p, h * self.scale, line.noise, self.scale)
        if along_p.is_certain:
            return along_p
        along_v = self._slope(v, h, line.noise, 1.0)
        return along_v if along_v.is_certain else None

    def _step(self, noise: float, power: float = 1.0 / 3.0) -> float:
        """The best step of differences of values with this noise, as a fraction of x."""
        relative = max(self.eps, noise / self.magnitude) if self.magnitude else self.eps
        return float(min(_WIDE, relative**power))

    def _slope(self, v: HostArray, h: float, noise: float, size: float) -> Suspicion:
        """The slope along ``v``, with a much shorter step too if f bends within the first."""
        phi, precision = self._along(v), self._precision(size)
        slope = centred_slope(phi, self.point.f, h, noise, precision)
        if slope.error > max(0.01 * abs(slope.value), 4.0 * max(noise, self.round_off) / h):
            closer = centred_slope(phi, self.point.f, 0.01 * h, noise, precision)
            if closer.error < slope.error:
                h, slope = 0.01 * h, closer
        return Suspicion(v, float(v @ self.g), h, slope, size)

    def _curvature(self, phi: Along, h: float, noise: float, size: float) -> Slope:
        """``phi''(0)`` as far as noise, and the rounding of the values that it is made of, let it be known."""
        return centred_curvature(phi, self.point.f, h, noise, self._precision(size))

    def _roughness(self, found: Suspicion, line: Line) -> float:
        """The noise that would explain a slope which is another one over a longer step; 0 if none.

        A wave of high frequency, seen at equal distances, may look smooth; not at two distances.
        """
        phi, precision = self._along(found.v), self._precision(found.size)
        slope = centred_slope(phi, self.point.f, _FARTHER * found.h, line.noise, precision)
        gap = abs(slope.value - found.slope.value)
        same = not gap > slope.error + found.slope.error
        return 0.0 if same or slope.error > gap else 0.5 * gap * found.h

    def _hidden(self, found: Suspicion) -> float:
        """How coarsely f is rounded, where it is the same to the last bit and farther off another, but on
        that stair the same again; else 0.
        """
        phi, f, t = self._along(found.v), self.point.f, found.h
        while phi(t) == f and phi(-t) == f:
            if t > found.size:
                return 0.0
            t *= _STRIDE
        if t == found.h:
            return 0.0
        side, low = (1.0 if phi(t) != f else -1.0), t / _STRIDE
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + t)
            low, t = (middle, t) if phi(side * middle) == f else (low, middle)
        stair = [phi(side * t * (1.0 + 1e-3 * k)) for k in range(4)]
        return abs(stair[0] - f) if len(set(stair)) < len(stair) else 0.0

    def _noise_farther(self, line: Line) -> float:
        """The noise at another distance: that of a wave depends on where it is met."""
        phi = self._along(self._steepest())
        values = np.array([phi(math.pi * k * line.h) for k in range(-3, 4)])
        return noise_level(values).level if np.isfinite(values).all() else 0.0

    def _precision(self, size: float) -> Precision:
        return Precision(self.eps, self.round_off, size)

    def _accuse(self, found: Suspicion) -> Diagnosis:
        h = found.h

        def differences(part: HostArray) -> float:
            phi = self._along(part)
            return (phi(h) - phi(-h)) / (2.0 * h)

        gap = found.slope.value - found.given
        return sentences.wrong_gradient(
            worst_component(differences, self.g, found.v, gap), self.g.size
        )


def _to_the_bottom(slope: float, curvature: float) -> float:
    """``slope^2 / (2 curvature)``; the power of a float may raise."""
    return slope * (slope / (2.0 * curvature))
