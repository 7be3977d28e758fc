"""Losses so small that squares of their gradients are zero."""

import pytest
import torch
from optimizer_cases import closure_of, variable

import secant.torch

UNIT = 2.0**-700
START = (-1.2, 1.0, -0.5, 1.5)


class Interrupted(Exception):
    pass


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def tiny(x):
    return UNIT * rosenbrock(x)


OPTIONS = {"max_iter": 8, "tolerance_change": 0.0, "tolerance_grad": 0.0}


@pytest.mark.parametrize("cls", [secant.torch.LBFGS, secant.torch.BFGS])
def test_the_minimum_is_found(cls):
    x = variable(*START)
    opt = cls([x], **OPTIONS)
    for _ in range(20):
        opt.step(closure_of(opt, lambda: tiny(x)))
    assert rosenbrock(x.detach()) < 1e-12


@pytest.mark.parametrize("cls", [secant.torch.LBFGS, secant.torch.BFGS])
@pytest.mark.parametrize("calls", [1, 3, 7])
def test_a_closure_that_raises_leaves_what_was_learned(cls, calls):
    """Memories that work in place are put back, whatever the unit that they learn in."""
    x, calm = variable(*START), variable(*START)
    opt, other = cls([x], **OPTIONS), cls([calm], **OPTIONS)
    for _ in range(2):
        opt.step(closure_of(opt, lambda: tiny(x)))
        other.step(closure_of(other, lambda: tiny(calm)))
    closure, left = closure_of(opt, lambda: tiny(x)), [calls]

    def raising():
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted
        return closure()

    with pytest.raises(Interrupted):
        opt.step(raising)
    opt.step(closure_of(opt, lambda: tiny(x)))
    other.step(closure_of(other, lambda: tiny(calm)))
    assert torch.equal(x, calm)
