"""What an output costs, given the target: a mean over the rows, for autograd and in closed form.

    error = sum_i w_i cost_i / N

with the rows' weights ``w`` (1 if there are none) and ``N`` their sum, or a multiple of it. With
``e = output - target`` and ``q = logistic(output)`` the cost of a row is

    mean squared            |e|^2,                     N = outputs * sum w
    normalised squared      |e|^2 / mean |t - mean t|^2:  1 for the best constant, 1 - R2 of the fit
    weighted squared        c_t (q - t)^2,             c balances the two classes
    Minkowski               sum |e|^p,                 N = outputs * sum w
    Huber                   sum of e^2 / 2 up to delta, delta (|e| - delta / 2) beyond
    binary cross-entropy    sum of log(1 + exp(o)) - t o
    cross-entropy           log sum exp(o) - o_t
"""

from __future__ import annotations

from secant.learn.error_terms.entropy import BinaryCrossEntropy as BinaryCrossEntropy
from secant.learn.error_terms.entropy import CrossEntropy as CrossEntropy
from secant.learn.error_terms.powers import Huber as Huber
from secant.learn.error_terms.powers import Minkowski as Minkowski
from secant.learn.error_terms.squared import MeanSquared as MeanSquared
from secant.learn.error_terms.squared import NormalisedSquared as NormalisedSquared
from secant.learn.error_terms.squared import WeightedSquared as WeightedSquared
from secant.learn.error_terms.term import ErrorTerm as ErrorTerm
from secant.learn.error_terms.term import SquaredTerm as SquaredTerm
from secant.learn.error_terms.term import Targets as Targets
