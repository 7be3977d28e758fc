"""Files of runs: what they hold, what is refused, and that nothing foreign is ever made of them."""

import json
import pickle
import sys

import numpy as np
import pytest
import torch

import secant
from secant import problems

F = problems.rosenbrock()


@pytest.fixture
def saved(tmp_path):
    """A run saved after three steps."""
    run = secant.start(F, F.start(), jac=F.gradient, max_iter=20)
    for _ in range(3):
        run.step()
    path = tmp_path / "run.npz"
    run.save(path)
    return path


def rewritten(path, change):
    """The file with its header changed."""
    with np.load(path) as file:
        stored = dict(file)
    header = json.loads(stored.pop("header").tobytes())
    change(header)
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **stored)


def set_in(*keys, to):
    def change(header):
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = to

    return change


def drop(key):
    return lambda header: header.pop(key)


def test_a_file_is_plain_arrays_and_json(saved):
    with np.load(saved, allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        assert all(file[name].dtype.kind in "fiu" for name in file.files)
    assert header["format"] == 1
    assert [p.name for p in saved.parent.iterdir()] == ["run.npz"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (set_in("format", to=99), "has format 99, this version reads 1"),
        (drop("format"), "has format None"),
        (drop("state"), "is not a whole saved run"),
        (drop("trace"), "is not a whole saved run"),
        (drop("counts"), "is not a whole saved run"),
        (set_in("counts", to=3), "is not a whole saved run"),
        (set_in("trace", to=[[1, 2]]), "is not a whole saved run"),
        (set_in("state", "fields", "point", "x", to="nowhere"), "is not a whole saved run"),
        (set_in("state", "fields", "point", "n", to=3), "x0 must have 3 elements"),
        (set_in("state", "fields", to={}), "is not a whole saved run"),
        (
            set_in("state", "class", to="secant.linesearch.method:Nothing"),
            "which no saved run holds",
        ),
        (set_in("state", "class", to="os:system"), "the file names 'os:system'"),
        (set_in("state", "class", to="secant.persistence:Path"), "which no saved run holds"),
        (set_in("state", "class", to="secant.persistence:os"), "which no saved run holds"),
        (set_in("state", "class", to="secant..os:system"), "which no saved run holds"),
        (set_in("state", "class", to="secant.nowhere:Thing"), "is not a whole saved run"),
        (set_in("state", "class", to="secant.cli:main"), "which no saved run holds"),
        (
            set_in("state", "class", to="secant.pair:Skip"),
            "does not fit this version of secant: its Skip has alpha, ",
        ),
        (
            set_in("method", to={"class": "collections:OrderedDict", "fields": {}}),
            "no saved run holds",
        ),
        (set_in("status", to="SOLVED"), "is not a whole saved run"),
        (
            set_in("library", to="antigravity"),
            "x0 must be given to resume a run on arrays of 'antig",
        ),
    ],
)
def test_a_tampered_file_is_one_sentence(saved, change, sentence):
    before = set(sys.modules)
    rewritten(saved, change)
    with pytest.raises(ValueError, match=sentence):
        secant.resume(saved, F, jac=F.gradient)
    new = {name.split(".")[0] for name in set(sys.modules) - before}
    assert "antigravity" not in new


@pytest.mark.parametrize(
    "content",
    [b"", b"not a file of ours", b"PK\x03\x04broken", pickle.dumps({"format": 1})],
    ids=["empty", "text", "broken", "pickle"],
)
def test_a_foreign_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.npz is not a saved run"):
        secant.resume(path, F)


def test_pickled_objects_are_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = tmp_path / "run.npz"
    np.savez(path, header=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="is not a saved run"):
        secant.resume(path, F)


def test_a_file_without_a_header(tmp_path):
    path = tmp_path / "run.npz"
    np.savez(path, x=np.ones(2))
    with pytest.raises(ValueError, match="is not a saved run"):
        secant.resume(path, F)
    np.savez(path, header=np.frombuffer(b"[1, 2]", dtype=np.uint8))
    with pytest.raises(ValueError, match="is not a saved run"):
        secant.resume(path, F)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        secant.resume(tmp_path / "nowhere.npz", F)


def test_an_x0_of_another_size(saved):
    with pytest.raises(ValueError, match="x0 must have 2 elements as in the saved run, got 3"):
        secant.resume(saved, F, np.ones(3))


def test_a_saved_file_is_replaced_whole(saved, monkeypatch):
    """A crash while writing leaves the old file, and nothing beside it."""
    before = saved.read_bytes()
    run = secant.resume(saved, F, jac=F.gradient)

    def crash(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", crash)
    with pytest.raises(OSError, match="disk full"):
        run.save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["run.npz"]


def test_a_schedule_must_be_given_again(tmp_path):
    """A function of the user's cannot be written down; a schedule of the library can."""
    path = tmp_path / "run.npz"
    own = secant.GradientDescent(rate=lambda k: 1e-3)
    run = secant.start(F, F.start(), jac=F.gradient, method=own, max_iter=5)
    run.step()
    run.save(path)
    with pytest.raises(ValueError, match="method must be given"):
        secant.resume(path, F, jac=F.gradient)
    again = secant.resume(path, F, jac=F.gradient, method=own, max_iter=5)
    assert again.finish().x.tolist() == run.finish().x.tolist()

    ours = secant.GradientDescent(rate=secant.Inverse(1e-3))
    run = secant.start(F, F.start(), jac=F.gradient, method=ours, max_iter=5)
    run.step()
    run.save(path)
    again = secant.resume(path, F, jac=F.gradient, max_iter=5)
    assert again.finish().x.tolist() == run.finish().x.tolist()


@pytest.mark.parametrize(
    "method",
    [
        secant.LBFGS(memory=2, search=secant.MoreThuente(), curvature_test=secant.Damp()),
        secant.GradientDescent(search=secant.NonMonotone(memory=3)),
        secant.BFGS(search=secant.NonMonotoneAverage(), first=secant.QuadraticFit()),
        secant.NonlinearCG("dai-yuan", secant.StrongWolfe(c2=0.1), 5, 0.2),
        secant.MemorylessBFGS(secant.Backtracking(np.float32(0.01), max_trials=np.int64(20))),
    ],
    ids=lambda method: f"{method.name}-{type(method.search).__name__}",
)
def test_configurations_come_back(tmp_path, method):
    """Without being told the method, the resumed run goes on with the very same configuration."""
    run = secant.start(F, F.start(), jac=F.gradient, method=method, max_iter=12)
    for _ in range(4):
        run.step()
    run.save(tmp_path / "run.npz")
    again = secant.resume(tmp_path / "run.npz", F, jac=F.gradient, max_iter=12)
    assert again.method == method
    assert again.finish().x.tolist() == run.finish().x.tolist()


def test_nests_and_modules(tmp_path):
    """Their structure is not in the file, so x0 is given again; its values do not matter."""
    pytest.importorskip("optree")
    path = tmp_path / "run.npz"

    def fun(x):
        return ((x["a"] - 1.0) ** 4).sum() + (x["b"] ** 2).sum()

    x0 = {"a": torch.zeros(2, dtype=torch.float64), "b": torch.ones(1, dtype=torch.float64)}
    run = secant.start(fun, x0, max_iter=10)
    run.step()
    run.save(path)
    again = secant.resume(path, fun, {"a": x0["a"] + 9.0, "b": x0["b"]}, max_iter=10).finish()
    assert again.x["a"].tolist() == run.finish().x["a"].tolist()
