"""The frame of a page: language, title, style, and a content policy under which it can fetch nothing."""

from importlib import resources
from xml.etree.ElementTree import Element

from streams.documents.elements import Child, element

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""In force wherever a page is opened, also from a file."""


def page(title: str, *children: Child) -> Element:
    """A whole document.

    Args:
        title: What it is called.
        children: What is in it.
    """
    style = resources.files("streams.documents").joinpath("page.css").read_text("utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", style),
    )
    return element("html", head, element("body", element("main", *children)), lang="en")


def picture(name: str, description: str, width: float, height: float, *children: Child) -> Element:
    """An SVG that a screen reader reads as *name* and *description*; it scrolls where the window is narrow.

    Args:
        name: An id that no other picture of the page has; its title and description are named after it.
        description: What it shows, in a sentence or two.
        width: In the units of the picture.
        height: The same.
        children: What is drawn.
    """
    described = element("desc", description, id=f"{name}-description")
    drawn = element(
        "svg",
        described,
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-description",
    )
    return element("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=description)
