"""Every page in a browser: it renders, says nothing on its console, and asks for nothing outside.

These tests need Chromium and are skipped where there is none.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn import datasets

from secant.learn import Settings, Strategy, train_table
from secant.learn.comparison import compare_table
from secant.learn.config import config_text
from secant.learn.modelfile import load_model, save_model
from secant.report.comparison import comparison_page
from secant.report.curves import read_curves
from secant.report.evaluation import evaluate_table, evaluation_page
from secant.report.html import render
from secant.report.recorder import record_of
from secant.report.training import history_page, training_page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

PROFILE = tempfile.TemporaryDirectory(prefix="secant-browser", ignore_cleanup_errors=True)
"""One for all tests: making it takes most of a short visit."""

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; """

pytestmark = pytest.mark.skipif(not BROWSER, reason="there is no Chromium")


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    done = subprocess.run(
        [
            *command,
            f"--user-data-dir={PROFILE.name}",
            "--virtual-time-budget=2000",
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done


def check_in_browser(page: Path, figures: int) -> None:
    """The document that the browser made of a page, and what it did meanwhile."""
    done = browse(page, "--dump-dom")
    # The page's policy refuses whatever is not inside it, and that is on the console, too.
    assert POLICY in page.read_text("utf-8")
    assert "CONSOLE" not in done.stderr
    dom = done.stdout
    assert dom.count("<svg") == figures
    assert "<h1>" in dom
    assert dom.count("<section") >= 1


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind, with the number of its figures."""
    folder = tmp_path_factory.mktemp("pages")
    written: dict[str, tuple[Path, int]] = {}

    def write(name, page):
        path = folder / f"{name}.html"
        path.write_text(render(page), encoding="utf-8")
        figures = [b for s in page.sections for b in s.blocks if b.kind == "figure"]
        written[name] = (path, len(figures))

    loaders = {"regression": datasets.load_diabetes, "binary": datasets.load_breast_cancer}
    loaders["classes"] = datasets.load_wine
    settings = Settings("target", hidden=(5,), strategy=Strategy(max_iter=20))
    for name, load in loaders.items():
        table = folder / f"{name}.csv"
        load(as_frame=True).frame.to_csv(table, index=False)
        trained = train_table(table, settings)
        write(name, training_page(record_of(trained, table.name)))
    several = replace(settings, target=("target", "s5", "bp"))
    trained_on_several = train_table(folder / "regression.csv", several)
    write("targets", training_page(record_of(trained_on_several, "regression.csv")))
    found = evaluate_table(trained_on_several.model, folder / "regression.csv")
    write("targets-evaluation", evaluation_page(found))
    flowers = datasets.load_iris(as_frame=True).frame
    for place, name in enumerate(("setosa", "versicolor")):
        flowers[name] = (flowers["target"] == place).map({True: "yes", False: "no"})
    flowers.drop(columns="target").to_csv(folder / "labels.csv", index=False)
    labels = replace(settings, target=("setosa", "versicolor"))
    write("labels", training_page(record_of(train_table(folder / "labels.csv", labels), "labels")))
    trained.training.history.write_csv(folder / "history.csv")
    write("history", history_page(read_curves(folder / "history.csv"), "history.csv"))
    (folder / "model").mkdir()
    save_model(trained.model, folder / "model")
    found = evaluate_table(load_model(folder / "model"), folder / "classes.csv")
    write("evaluation", evaluation_page(found))
    compared = compare_table(folder / "regression.csv", settings, ["l-bfgs", "adam"], repeats=1)
    write("comparison", comparison_page(compared, config_text(settings), "secant compare"))
    return written


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("regression", 7),
        ("binary", 8),
        ("classes", 8),
        ("targets", 7),
        ("targets-evaluation", 3),
        ("labels", 6),
        ("history", 3),
        ("evaluation", 4),
        ("comparison", 2),
    ],
)
def test_a_page_renders_and_asks_for_nothing(pages, name, figures):
    path, expected = pages[name]
    assert expected == figures
    check_in_browser(path, figures)


def test_a_printed_report_has_its_pages(pages, tmp_path):
    path, _ = pages["regression"]
    browse(path, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_console_would_have_been_seen(tmp_path):
    """What makes the tests above worth anything: a page that is wrong does not pass."""
    page = tmp_path / "wrong.html"
    wrong = (
        "<script>missing()</script>",
        '<img src="https://example.org/outside.png">',
        '<img src="beside.png">',
    )
    page.write_text(f"{POLICY}style-src 'unsafe-inline'\"><h1>x</h1>{''.join(wrong)}")
    said = [line for line in browse(page, "--dump-dom").stderr.splitlines() if "CONSOLE" in line]
    for words in ("script", "outside.png", "beside.png"):
        assert [line for line in said if words in line], (words, said)
