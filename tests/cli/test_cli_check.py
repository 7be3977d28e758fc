"""``secant check``: what it prints, and its exit codes."""

import json

import pytest

from secant.cli import run

NUMPY = """
import numpy as np

x0 = [-1.2, 1.0]


def fun(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


def right(x):
    slope = 200.0 * (x[1] - x[0] ** 2)
    return np.array([-2.0 * x[0] * slope - 2.0 * (1.0 - x[0]), slope])


def wrong(x):
    return right(x) * [1.0, 1.01]


def both(x):
    return fun(x), right(x)


def hessian(x):
    return np.array([[1200.0 * x[0] ** 2 - 400.0 * x[1] + 2.0, -400.0 * x[0]], [-400.0 * x[0], 200.0]])
"""

TORCH = """
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
X = torch.randn(5, 3)


def loss():
    return (model(X) ** 2).mean()


def cube(x):
    return (x**3).sum()


def start():
    return torch.tensor([[1.0, 2.0]], dtype=torch.float64)
"""


@pytest.fixture
def numpy_file(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(NUMPY)
    return path


@pytest.fixture
def torch_file(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(TORCH)
    return path


@pytest.mark.parametrize(
    "options",
    [["--jac", "right"], ["--jac", "right", "--x0", "-1.2,1"], ["--points", "2", "--jac", "right"]],
)
def test_a_right_gradient(numpy_file, options, capsys):
    assert run(["check", f"{numpy_file}:fun", *options]) == 0
    assert capsys.readouterr().out.startswith("gradient right")


def test_value_and_gradient_together_and_the_hessian(numpy_file, capsys):
    assert run(["check", f"{numpy_file}:both"]) == 0
    assert run(["check", f"{numpy_file}:fun", "--jac", "right", "--hess", "hessian"]) == 0
    assert "Hessian right" in capsys.readouterr().out


def test_a_wrong_gradient_is_exit_code_one(numpy_file, capsys):
    assert run(["check", f"{numpy_file}:fun", "--jac", "wrong"]) == 1
    printed = capsys.readouterr()
    assert "gradient wrong" in printed.out
    assert "[1] is" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(("function", "x0"), [("loss", "model"), ("cube", "start")])
def test_torch(torch_file, function, x0):
    assert run(["check", f"{torch_file}:{function}", "--x0", x0]) == 0


@pytest.mark.parametrize(
    ("target", "options", "sentence"),
    [
        ("{file}", [], "must be a file and a function"),
        ("{file}x:fun", [], "there is no file"),
        ("{file}:fum", [], "has no 'fum' (did you mean fun?)"),
        ("{file}:x0", [], "x0 in {file} must be a function, got list"),
        ("{file}:fun", [], "--jac is missing"),
        ("{file}:fun", ["--jac", "wright"], "has no 'wright' (did you mean right?)"),
        ("{file}:fun", ["--jac", "right", "--x0", "start"], "has no 'start'"),
        ("{file}:fun", ["--jac", "right", "--x0", "1"], "cannot be checked: IndexError"),
        ("{file}:fun", ["--jac", "right", "--points", "0"], "points"),
    ],
)
def test_bad_input_is_one_sentence(numpy_file, target, options, sentence, capsys):
    assert run(["check", target.format(file=numpy_file), *options]) == 2
    error = capsys.readouterr().err
    assert sentence.format(file=numpy_file) in error
    assert len(error.strip().splitlines()) == 1


def test_a_file_that_does_not_run(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_this_name\n")
    assert run(["check", f"{path}:fun"]) == 2
    assert "cannot be run: ModuleNotFoundError" in capsys.readouterr().err


ODD = """
from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import torch


@dataclass
class Scale:
    factor: float = 2.0


scale = Scale()
x0 = np.ones(2)
single = np.ones(2, dtype=np.float32)
tensors = {"a": torch.ones(2, dtype=torch.float64), "b": torch.ones(3, dtype=torch.float64)}
model = torch.nn.Linear(2, 1)
imaginary = [1j]
text = "abc"
nothing = None


def parameters():
    return model.parameters()


def refuses():
    raise RuntimeError("no start today")


def wants_more(n):
    return np.ones(n)


def fun(x):
    print("called")
    return scale.factor * (x**2).sum(), 2.0 * scale.factor * x


def of_nest(nest):
    return (nest["a"] ** 4).sum() + (nest["b"] ** 2).sum()


def loss():
    return (model(torch.ones(4, 2)) ** 2).mean()


def leaves(x):
    sys.exit(0)


def of_dtype(x):
    assert x.dtype == np.float32
    return (x**2).sum(), 2.0 * x
"""


@pytest.fixture
def odd_file(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(ODD)
    return path


@pytest.mark.parametrize(
    ("function", "x0"),
    [("fun", "x0"), ("of_nest", "tensors"), ("loss", "parameters"), ("of_dtype", "single")],
)
def test_starts_of_every_kind(odd_file, function, x0):
    """A file with a dataclass in it runs, and a start keeps its precision."""
    assert run(["check", f"{odd_file}:{function}", "--x0", x0]) == 0


@pytest.mark.parametrize(
    ("function", "x0", "sentence"),
    [
        ("fun", "imaginary", "x must hold real floating-point numbers"),
        ("fun", "text", "x must hold real floating-point numbers"),
        ("fun", "nothing", "must be an array, a nest of arrays or numbers, got None"),
        ("fun", "refuses", "RuntimeError: no start today"),
        ("fun", "wants_more", "TypeError: wants_more() missing"),
        ("fun", "Scale", "must be an array, a nest of arrays or numbers"),
        ("fun", "1,nan", "x must be finite, got nan"),
        ("leaves", "x0", "cannot be checked: SystemExit"),
    ],
)
def test_bad_starts_are_one_sentence(odd_file, function, x0, sentence, capsys):
    assert run(["check", f"{odd_file}:{function}", "--x0", x0]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1


def test_what_the_function_prints_does_not_come_between_a_program_and_its_json(odd_file, capsys):
    assert run(["check", f"{odd_file}:fun", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ok"]
    assert "called" in printed.err
