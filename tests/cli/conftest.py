"""Running commands in an empty folder, as a user would."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_tables import houses

from secant.cli import run
from secant.report import analysis, comparison, several_targets, training


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one error line, checked to be the only output."""
        assert self.code == 2, self
        assert self.out == ""
        assert self.err.startswith("error: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removeprefix("error: ").strip()


Command = Callable[..., Outcome]


@pytest.fixture
def secant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run `secant ARGUMENTS` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@pytest.fixture
def real_pictures() -> None:
    """For tests that look at pictures."""


@pytest.fixture(autouse=True)
def quick_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without ink: drawing takes most of a short training, and tests/report look at it."""
    if "real_pictures" not in request.fixturenames:
        for page in (analysis, comparison, several_targets, training):
            monkeypatch.setattr(page, "to_svg", lambda figure, name: "<svg></svg>")


@pytest.fixture
def houses_csv(tmp_path: Path) -> Path:
    """The houses as a file."""
    path = tmp_path / "houses.csv"
    houses().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the prices, to be copied: training takes longer."""
    place = tmp_path_factory.mktemp("trained")
    table = place / "houses.csv"
    houses().to_csv(table, index=False)
    train = ["train", str(table), "--target", "price", "--hidden", "4", "--max-iter", "15"]
    assert run([*train, "--out", str(place / "model"), "--quiet"]) == 0
    return place / "model"


@pytest.fixture
def model(trained_once: Path, tmp_path: Path) -> str:
    """A folder with a model of the prices."""
    shutil.copytree(trained_once, tmp_path / "model")
    return "model"
