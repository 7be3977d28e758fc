"""Runs on disk: plain arrays and JSON in one ``.npz`` file, never a pickle.

Every object of a run's state is a dataclass or a named tuple of this package; it is written as its fields.
Two fields that hold one array are written, and come back, as one array, because a method may know an
array by its identity.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from secant import arrays, checks
from secant.arrays import Array, HostArray
from secant.diagnosis import Diagnosis
from secant.problem import Point, Problem
from secant.run import Callback, Run
from secant.status import Status
from secant.stopping import Stop
from secant.trace import Row, Trace

if TYPE_CHECKING:
    from secant.functions import Task

FORMAT = 1
"""Version of the file format."""

_LIBRARIES = ("torch", "array_api_strict")
"""What may be imported because a file names it."""


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write ``run`` to ``path``: first beside it, then renamed, so that no half-written file is left."""
    writer = Writer()
    point = run.point
    vector = run.structure.vector(point.x)
    content = {
        "format": FORMAT,
        "library": type(vector).__module__.split(".")[0],
        "dtype": str(vector.dtype).rpartition(".")[2],
        "method": _method_fields(run.method),
        "state": writer.encode(run.state),
        "best": writer.encode(run.best),
        "trace": [list(row) for row in run.trace],
        "seconds": run.seconds,
        "status": None if run.status is None else run.status.name,
        "diagnosis": writer.encode(run.diagnosis),
        "counts": [run.problem.counts.nfev, run.problem.counts.njev, run.problem.counts.nhev],
    }
    _write_atomically(Path(path), content, writer.arrays)


def resume(
    path: str | os.PathLike[str],
    fun: Callable[..., Any],
    x0: Any = None,
    args: tuple[Any, ...] = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    *,
    gtol: float = 1e-5,
    max_iter: int | None = None,
    max_evals: int | None = None,
    max_seconds: float | None = None,
    target: float | None = None,
    stop: Sequence[Stop] = (),
    callback: Callback | None = None,
) -> Run:
    """Go on with a run that `Run.save` wrote; with the same function it gives what it would have given.

    Parameters
    ----------
    path : path-like
        The file.
    fun, args, jac, hess, hessp
        The function and its derivatives, as given to `start`.
    x0 : optional
        Needed where the run's variables were a module, its parameters or a nest (for their structure),
        and to choose a device; the values come from the file.
    method : optional
        Needed where the method was configured with a function of the user's (a schedule).
    gtol, max_iter, max_evals, max_seconds, target, stop, callback
        As in `minimize`; limits count from the start of the run, not from here. A fit (of
        `start_least_squares`; ``fun`` gives its residuals) keeps its own tolerances instead of ``gtol``.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the file is not a saved run, or does not fit ``x0`` or ``method``.

    Examples
    --------
    >>> import secant, tempfile, os
    >>> def f(x):
    ...     return (x**4).sum()
    >>> run = secant.start(f, [1.0, 2.0])
    >>> _ = run.step()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.npz")
    ...     run.save(path)
    ...     again = secant.resume(path, f)
    >>> bool((run.finish().x == again.finish().x).all())
    True
    """
    from secant.leastsquares.saved import holds_fit, resume_fit
    from secant.minimize import launch

    content, stored = _read(Path(path))
    with _whole(path):
        if holds_fit(content):
            for name, given in (("hess", hess), ("hessp", hessp)):
                checks.require(given is None, name, given, "None: the file holds a fit")
            return resume_fit(
                path,
                (content, stored),
                fun,
                x0,
                method,
                jac,
                args=args,
                max_nfev=max_evals,
                max_iter=max_iter,
                max_seconds=max_seconds,
                target=target,
                stop=stop,
                callback=callback,
            )
        method = _method(content["method"]) if method is None else method
        start = _empty_start(content, stored) if x0 is None else x0
        n = content["state"]["fields"]["point"]["n"]
    task = _task(fun, start, args, jac, hess, hessp, n)
    with _whole(path):
        reader = Reader(stored, task.x0, task.problem)
        state, best = reader.decode(content["state"]), reader.decode(content["best"])
        _ = state.point.f, state.k, best.f
        trace = Trace([Row(*row) for row in content["trace"]])
        seconds, status = float(content["seconds"]), content["status"]
        ended = None if status is None else Status[status]
        diagnosis = reader.decode(content.get("diagnosis"))
        if not isinstance(diagnosis, Diagnosis | None):
            raise TypeError(f"its diagnosis is a {type(diagnosis).__name__}")
        counts = task.problem.counts
        counts.nfev, counts.njev, counts.nhev = content["counts"]
    run = launch(
        task,
        method,
        None,
        gtol=gtol,
        max_iter=max_iter,
        max_evals=max_evals,
        max_seconds=max_seconds,
        target=target,
        stop=stop,
        callback=callback,
        state=state,
    )
    run.take_up(best, trace, seconds, ended, diagnosis)
    return run


def _task(fun: Any, x0: Any, args: Any, jac: Any, hess: Any, hessp: Any, n: int) -> Task:
    from secant.minimize import make_task

    task = make_task(fun, x0, args, jac, hess, hessp)
    if task.x0.shape[0] != n:
        raise ValueError(f"x0 must have {n} elements as in the saved run, got {task.x0.shape[0]}")
    return task


def _empty_start(content: dict[str, Any], stored: dict[str, HostArray]) -> Array:
    """The saved iterate as a flat array of the saved library."""
    x = stored[content["state"]["fields"]["point"]["x"]]
    if content["library"] == "numpy":
        return x
    if content["library"] not in _LIBRARIES:
        raise ValueError(
            f"x0 must be given to resume a run on arrays of {content['library']!r}: its values come "
            "from the file, its library and device from x0"
        )
    library = importlib.import_module(content["library"])
    return library.asarray(x.tolist(), dtype=getattr(library, content["dtype"]))


# ------------------------------------------------------------------------------------ the method


def _method_fields(method: Any) -> Any:
    """The method as nested fields, or None where a part is a function of the user's."""
    try:
        return Writer(arrays_allowed=False).encode(method)
    except TypeError:
        return None


def _method(fields: Any) -> Any:
    if fields is None:
        raise ValueError(
            "method must be given: the saved run's method holds a function or an array, "
            "which the file cannot carry"
        )
    return Reader({}, None, None).decode(fields)


# ---------------------------------------------------------------------------- encoding and decoding


class Writer:
    """From objects to JSON, with the arrays set aside under names."""

    def __init__(self, arrays_allowed: bool = True) -> None:
        self.arrays: dict[str, HostArray] = {}
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []  # so that no id is given twice
        self._arrays_allowed = arrays_allowed

    def encode(self, value: Any) -> Any:
        """``value`` as JSON."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value if type(value) is not np.float64 else float(value)
        if isinstance(value, Enum):
            return {"enum": _class_name(type(value)), "member": value.name}
        if isinstance(value, Point):
            n = int(value.x.shape[0])
            return {
                "point": 1,
                "n": n,
                "x": self._name(value.x),
                "f": value.f,
                "g": self._name(value.g),
            }
        if arrays.is_array(value):
            return {"array": self._name(value), "host": isinstance(value, np.ndarray)}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            return self._object(value, {name: getattr(value, name) for name in names})
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return self._object(value, value._asdict())
        if isinstance(value, (list, tuple)):
            return {type(value).__name__: [self.encode(item) for item in value]}
        raise TypeError(f"a run cannot be saved with a {type(value).__name__} in it")

    def _object(self, value: Any, fields: dict[str, Any]) -> Any:
        encoded = {name: self.encode(field) for name, field in fields.items()}
        return {"class": _class_name(type(value)), "fields": encoded}

    def _name(self, array: Array) -> str:
        if not self._arrays_allowed:
            raise TypeError("arrays belong to the state, not to the method")
        if id(array) not in self._names:
            name = f"a{len(self.arrays)}"
            self._names[id(array)] = name
            self._kept.append(array)
            self.arrays[name] = arrays.to_numpy(array)
        return self._names[id(array)]


class Reader:
    """The way back; only dataclasses, named tuples and enums of this package are made."""

    def __init__(self, stored: dict[str, HostArray], x0: Array, problem: Problem | None) -> None:
        self._stored = stored
        self._x0 = x0
        self._problem = problem
        self._made: dict[tuple[str, bool], Array] = {}

    def decode(self, value: Any) -> Any:
        """The object that ``value`` was made from."""
        if not isinstance(value, dict):
            return value
        if "enum" in value:
            return _class(value["enum"], Enum)[value["member"]]
        if "point" in value and self._problem is not None:
            x, g = self._array(value["x"], False), self._array(value["g"], False)
            if not tuple(x.shape) == tuple(g.shape) == tuple(self._x0.shape):
                raise ValueError("the file holds a point of another length than it says")
            return self._problem.known(x, value["f"], g)
        if "array" in value:
            return self._array(value["array"], value["host"])
        if "class" in value:
            fields = {name: self.decode(field) for name, field in value["fields"].items()}
            return _class(value["class"], object)(**fields)
        if "tuple" in value:
            return tuple(self.decode(item) for item in value["tuple"])
        return [self.decode(item) for item in value["list"]]

    def _array(self, name: str, host: bool) -> Array:
        key = (name, host)
        if key not in self._made:
            stored = self._stored[name]
            on_host = host or isinstance(self._x0, np.ndarray)
            self._made[key] = stored if on_host else arrays.like(stored, self._x0)
        return self._made[key]


def _class_name(kind: type) -> str:
    if not kind.__module__.startswith("secant."):
        raise TypeError(f"a run cannot be saved with a {kind.__name__} in it")
    return f"{kind.__module__}:{kind.__name__}"


def _class(name: str, base: type) -> Any:
    module, _, attribute = name.partition(":")
    kind = getattr(importlib.import_module(module), attribute, None) if _is_ours(module) else None
    plain = isinstance(kind, type) and (
        dataclasses.is_dataclass(kind) or issubclass(kind, Enum) or hasattr(kind, "_fields")
    )
    if not (plain and isinstance(kind, type) and issubclass(kind, base)):
        raise ValueError(f"the file names {name!r}, which no saved run holds")
    return kind


def _is_ours(module: str) -> bool:
    top, *parts = module.split(".")
    return (
        top == "secant"
        and bool(parts)
        and all(part.isidentifier() for part in parts)
        and (parts[0] not in ("cli", "learn", "report", "__main__"))
    )


# --------------------------------------------------------------------------------------- the file


@contextmanager
def _whole(path: str | os.PathLike[str]) -> Iterator[None]:
    """What is missing in a file, or of another kind, makes one sentence."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ImportError) as reason:
        raise ValueError(f"{path} is not a whole saved run: {reason!r}") from None


def _write_atomically(path: Path, content: dict[str, Any], stored: dict[str, HostArray]) -> None:
    header = np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{"header": header, **stored})  # type: ignore[arg-type]
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _read(path: Path) -> tuple[dict[str, Any], dict[str, HostArray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        content = json.loads(stored.pop("header").tobytes())
        if not isinstance(content, dict):
            raise TypeError(f"its header is a {type(content).__name__}")
    except FileNotFoundError:
        raise
    except Exception as reason:
        raise ValueError(f"{path} is not a saved run: {reason}") from None
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path} has format {content.get('format')!r}, this version reads {FORMAT}"
        )
    return content, stored
