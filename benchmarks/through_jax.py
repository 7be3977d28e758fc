"""Solvers of the JAX family on functions of NumPy arrays.

The compiled solver calls back to Python for value and gradient. It is compiled once for each number of
variables, before the clock starts.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any

import numpy as np

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import optax

from benchmarks.race import Race

jax.config.update("jax_enable_x64", True)
logging.getLogger("jax").setLevel(logging.CRITICAL)  # the end of a race is no error to be shown

_RUNNING: list[Any] = []
"""The function that callbacks evaluate now, and what it raised."""


class _Raised(Exception):
    """Stands in for an exception of the function, whose own JAX would not hand on."""


def _evaluate(x: Any) -> tuple[np.ndarray, np.ndarray]:
    function, raised = _RUNNING
    if raised:
        raise _Raised
    try:
        f, g = function(np.asarray(x))
    except Exception as error:
        raised.append(error)
        raise _Raised from None
    return np.asarray(f), np.asarray(g)


@jax.custom_jvp
def _value(x: Any) -> Any:
    return _both(x)[0]


@_value.defjvp
def _value_and_slope(primals: Any, tangents: Any) -> Any:
    f, g = _both(primals[0])
    return f, g @ tangents[0]


def _both(x: Any) -> Any:
    shapes = jax.ShapeDtypeStruct((), x.dtype), jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(_evaluate, shapes, x)


def _sphere(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(x @ x), 2.0 * x


def _call(function: Any, solve: Any) -> str:
    """``solve()`` with the callbacks bound to ``function``; its exceptions are raised as they were."""
    _RUNNING[:] = function, []
    try:
        solve()
    except Exception:
        if not _RUNNING[1]:
            raise
    if _RUNNING[1]:
        raise _RUNNING[1][0]
    return "stopped"


# ------------------------------------------------------------------------------------------- optax


@cache
def _optax_step(n: int, memory: int) -> tuple[Any, Any]:
    """Start and step of the loop in optax's documentation, compiled."""
    solver = optax.lbfgs(memory_size=memory)
    value_and_gradient = optax.value_and_grad_from_state(_value)

    @jax.jit
    def step(x: Any, state: Any) -> tuple[Any, Any]:
        f, g = value_and_gradient(x, state=state)
        updates, state = solver.update(g, state, x, value=f, grad=g, value_fn=_value)
        return optax.apply_updates(x, updates), state

    begin = jax.jit(solver.init)

    def warm_up() -> None:
        x = jnp.ones(n)
        state = begin(x)
        for _ in range(3):  # the state's types settle in the first two
            x, state = jax.block_until_ready(step(x, state))

    _call(_sphere, warm_up)
    return begin, step


def optax_lbfgs(race: Race, x0: np.ndarray, memory: int) -> str:
    """The loop that optax's documentation shows; it ends when the race does."""
    begin, step = _optax_step(x0.size, memory)
    x = jnp.asarray(race.start())

    def solve() -> None:
        nonlocal x
        state = begin(x)
        evaluations = -1
        while len(race.f) > evaluations:  # a loop that evaluates nothing would go on for ever
            evaluations = len(race.f)
            x, state = jax.block_until_ready(step(x, state))

    return _call(race, solve)


# -------------------------------------------------------------------------------------- optimistix


@cache
def _optimistix_solve(n: int) -> Any:
    """One whole minimisation, compiled."""
    import optimistix

    solver = optimistix.BFGS(rtol=1e-14, atol=1e-14)

    @jax.jit
    def solve(x: Any) -> Any:
        solution = optimistix.minimise(
            lambda y, _: _value(y), solver, x, max_steps=100_000, throw=False
        )
        return solution.value

    _call(_sphere, lambda: jax.block_until_ready(solve(jnp.ones(n))))
    return solve


def optimistix_bfgs(race: Race, x0: np.ndarray) -> str:
    """optimistix.minimise."""
    solve = _optimistix_solve(x0.size)
    x = jnp.asarray(race.start())
    return _call(race, lambda: jax.block_until_ready(solve(x)))
