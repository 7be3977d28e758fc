"""Pages: self-contained, escaped, complete."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from secant.learn import Settings, Strategy, train_table
from secant.report.html import render
from secant.report.page import Bullets, Code, Facts, Figure, Highlight, Note, Page, Section, Table
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
    assert "http" not in html
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
    table.assign(y=x + z).to_csv(folder / "numbers.csv", index=False)
    label = np.where(x + z > 0, "$yes$", "<script>alert(1)</script>")
    table.assign(y=label).to_csv(folder / "classes.csv", index=False)
    return folder


@pytest.mark.parametrize("name", ["numbers", "classes"])
def test_a_training_report(tables, name):
    settings = Settings("y", hidden=(4,), strategy=Strategy(max_iter=15))
    trained = train_table(tables / f"{name}.csv", settings)
    html = render(training_page(trained, "secant train table.csv --target y"))
    check_self_contained(html)
    check_identifiers(html)
    page = outline(html)
    pictures = {value for key, value in page.attributes if key == "aria-label"}
    assert "Training and validation loss over the iterations" in pictures
    assert "Largest gradient component over the iterations" in pictures
    if name == "numbers":
        assert {"Predicted against actual y", "Histogram of the errors of y on the test rows"} <= (
            pictures
        )
    else:
        assert "Confusion matrix of y on the test rows" in pictures
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    text = " ".join(page.text)
    assert "secant train table.csv --target y" in text
    assert "limit reached: max_iter iterations" in text
    assert "left out, the same value in every row: 'same'" in text
    assert "<b>Bern</b>" in text  # shown, not obeyed
    assert html.count("<svg") == len(pictures)


def test_the_same_training_draws_the_same_figures(tables):
    settings = Settings("y", hidden=(3,), strategy=Strategy(max_iter=5))
    pages = [training_page(train_table(tables / "numbers.csv", settings), "x") for _ in range(2)]
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
    assert sizes == [1, 3, 1]
