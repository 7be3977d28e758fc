"""The documentation: its examples print what it says, its links lead somewhere, nothing is left out."""

import re

import pytest

from benchmarks import examples
from benchmarks.method_table import PAGE, updated
from secant import Status

PAGES = [
    *examples.pages(),
    *(examples.ROOT / name for name in ("CHANGELOG.md", "examples/README.md")),
]
WITH_EXAMPLES = [page for page in examples.pages() if any(examples.blocks(page))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def name_of(page):
    return str(page.relative_to(examples.ROOT))


def anchors(page):
    """What the headings of a page are called in links."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        yield re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_examples_print_what_the_page_says(page):
    assert examples.run(page) > 0


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_the_table_of_methods_is_that_of_the_registry():
    text = PAGE.read_text(encoding="utf-8")
    assert updated(text) == text


def test_every_status_is_explained():
    text = (examples.ROOT / "docs" / "minimize.md").read_text(encoding="utf-8")
    assert [status.name for status in Status if f"`{status.name}`" not in text] == []
