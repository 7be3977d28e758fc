"""A page as one HTML file: style and figures inside, no scripts, nothing fetched from anywhere.

The page's security policy says so to the browser, which refuses whatever is not inside.
"""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from secant.report.page import Page

__all__ = ["render"]


def render(page: Page) -> str:
    """The HTML of a page.

    Every text is escaped; the only markup that passes as it is are the SVG figures, which this
    package draws itself.
    """
    environment = Environment(
        loader=PackageLoader("secant.report", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(page=page)
