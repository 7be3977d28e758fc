"""Pages: self-contained, escaped, complete."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Strategy, train_table
from secant.report.condition import condition_estimate
from secant.report.html import render
from secant.report.page import Bullets, Code, Facts, Figure, Highlight, Note, Page, Section, Table
from secant.report.record import load_record, save_record
from secant.report.recorder import record_of
from secant.report.training import training_page


class Outline(HTMLParser):
    """Tags, attributes and balance of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    assert parser.open == []
    return parser


def check_self_contained(html: str) -> None:
    page = outline(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not re.search("https?:", html)
    assert "@import" not in html
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "xlink:href", "src"):
            assert value.startswith(("#", "data:image/png;base64,"))
    assert all(link.startswith("#") for link in re.findall(r"url\(([^)]*)\)", html))


def check_identifiers(html: str) -> None:
    """Every reference has its target, and the figures do not share identifiers."""
    page = outline(html)
    identifiers = {value for name, value in page.attributes if name == "id"}
    links = [value for name, value in page.attributes if name == "xlink:href"]
    used = {link[1:] for link in links if link.startswith("#")}
    used |= set(re.findall(r"url\(#([^)]*)\)", html))
    assert used <= identifiers
    defined = [
        re.findall(r'<(?:clipPath|path) id="([^"]*)"', svg) for svg in html.split("<svg")[1:]
    ]
    different = {name for names in defined for name in names}
    assert len(different) == sum(len(set(names)) for names in defined)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A regression table and a classification table with awkward names."""
    folder = tmp_path_factory.mktemp("tables")
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 80))
    town = np.where(random.uniform(size=80) < 0.5, "<b>Bern</b>", "A & B")
    table = pd.DataFrame({"x": x, "$cost_$": z, "town": town, "same": 1})
    label = np.select([x + z < -0.6, x + z < 0.6], ["a", "<script>alert(1)</script>"], "c")
    table.assign(y=label).to_csv(folder / "three.csv", index=False)
    table.loc[:2, "x"] = np.nan
    table.assign(y=x + z).to_csv(folder / "numbers.csv", index=False)
    label = np.where(x + z > 0, "$yes$", "<script>alert(1)</script>")
    table.assign(y=label).to_csv(folder / "classes.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def records(tables):
    """The records of a regression, of two classes and of three."""
    settings = Settings("y", hidden=(4,), strategy=Strategy(max_iter=15))
    return {
        name: record_of(train_table(tables / f"{name}.csv", settings), f"{name}.csv")
        for name in ("numbers", "classes", "three")
    }


@pytest.fixture(scope="module")
def reports(records):
    """Their reports: drawing takes longer than all that is looked at."""
    return {name: render(training_page(record)) for name, record in records.items()}


@pytest.mark.parametrize("name", ["numbers", "classes", "three"])
def test_a_training_report(reports, name):
    html = reports[name]
    check_self_contained(html)
    check_identifiers(html)
    page = outline(html)
    pictures = " | ".join(value for key, value in page.attributes if key == "aria-label")
    expected = ["Training and validation loss over", "largest gradient component over the", "step"]
    if name == "numbers":
        expected += ["Predicted against actual y", "Histogram of the errors", "Errors of y on the"]
    else:
        expected += ["Confusion matrix of y", "ROC curves", "Precision-recall", "Calibration of"]
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert [words for words in (*expected, "Drawing of the network") if words not in pictures] == []
    text = " ".join(page.text)
    assert "secant train --config run.toml" in text
    assert f'data = "{name}.csv"' in text
    assert "limit reached: max_iter iterations" in text
    assert "left out, the same value in every row: 'same'" in text
    assert "<b>Bern</b>" in text  # shown, not obeyed
    assert html.count("<svg") == pictures.count(" | ")  # all figures, and the list of sections


def test_links_lead_to_sections(reports):
    page = outline(reports["numbers"])
    targets = [value[1:] for name, value in page.attributes if name == "href"]
    identifiers = [value for name, value in page.attributes if name == "id"]
    assert len(targets) == 7
    assert set(targets) <= set(identifiers)


def test_a_record_survives_its_file(records, reports, tmp_path):
    for name, record in records.items():
        save_record(record, tmp_path / f"{name}.json")
        again = load_record(tmp_path / f"{name}.json")
        # NaN is no number to itself, so the pages are what is compared.
        assert render(training_page(again)) == reports[name]


def test_the_record_says_what_the_table_holds(records, tables):
    table = pd.read_csv(tables / "numbers.csv")
    columns = {column.name: column for column in records["numbers"].columns}
    assert list(columns) == ["x", "$cost_$", "town", "y"]
    assert columns["x"].lowest == table["x"].min()
    assert columns["x"].mean == pytest.approx(table["x"].mean(), rel=1e-12)
    assert columns["x"].missing == 3
    assert columns["town"].categories == table["town"].value_counts().to_dict()
    assert (columns["y"].role, columns["y"].deviation) == (
        "target",
        pytest.approx(table["y"].std(ddof=0), rel=1e-12),
    )


def test_the_condition_is_that_of_the_hessian(tables):
    trained = train_table(tables / "numbers.csv", Settings("y", hidden=(), l2=0.01))
    found = condition_estimate(trained)
    rows = trained.parts.train
    x = trained.model.preparation.transform(trained.dataset.frame.iloc[rows])
    inputs = np.column_stack([x, np.ones(len(x))])
    penalty = np.diag([2 * 0.01] * x.shape[1] + [0.0])
    eigenvalues = np.linalg.eigvalsh(2 * inputs.T @ inputs / len(x) + penalty)
    assert found.complete
    assert found.negative == 0
    assert found.rows == len(rows)
    assert found.largest == pytest.approx(eigenvalues[-1], rel=1e-6)
    assert found.condition == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-6)


def test_the_same_training_draws_the_same_figures(tables):
    settings = Settings("y", hidden=(3,), strategy=Strategy(max_iter=5))
    pages = [
        training_page(record_of(train_table(tables / "numbers.csv", settings), "x"))
        for _ in range(2)
    ]
    figures = [
        [
            block.svg
            for section in page.sections
            for block in section.blocks
            if block.kind == "figure"
        ]
        for page in pages
    ]
    assert figures[0] == figures[1]


def test_every_block_is_shown():
    page = Page(
        "Title <1>",
        "subtitle",
        (Highlight("0.9", "score"),),
        (
            Section("One", (Facts((("name", "value"),)), Table(("a", "b"), (("x", "1"),)))),
            Section("Two", (Bullets(("first", "second")), Note("small"), Code("run & see"))),
            Section("Three", (Figure("<svg></svg>", "caption", "description"),)),
        ),
        "footer",
    )
    html = render(page)
    check_self_contained(html)
    for expected in ("Title &lt;1&gt;", "0.9", "value", '<td class="number">1</td>', "second"):
        assert expected in html
    for expected in ("small", "run &amp; see", "<svg></svg>", "caption", "description", "footer"):
        assert expected in html


def test_figures_stand_beside_figures_and_tables():
    figure, table = Figure("<svg></svg>", "c", "d"), Table(("a",), (("1",),))
    sizes = [len(group) for group in Section("s", (table, figure, figure, table, table)).groups]
    assert sizes == [1, 4]
    wide = Figure("<svg></svg>", "c", "d", wide=True)
    assert [len(group) for group in Section("s", (figure, wide, figure, figure)).groups] == [
        1,
        1,
        2,
    ]
