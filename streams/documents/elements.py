"""Elements of HTML and SVG, by the standard library's ElementTree: what is text is escaped, whoever sent it."""

from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

Child: TypeAlias = Element | str | None
Attribute: TypeAlias = str | float | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Element:
    """An element.

    Args:
        tag: Its name.
        children: Elements and text, in order; None is left out.
        attributes: ``_`` in a name stands for ``-``, and at its end for nothing; None is left out.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), _text(value))
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child is not None and last is None:
            made.text = (made.text or "") + child
        elif child is not None and last is not None:
            last.tail = (last.tail or "") + child
    return made


def html_text(document: Element) -> str:
    """*document* as HTML."""
    return "<!doctype html>\n" + tostring(document, encoding="unicode", method="html") + "\n"


def _text(value: str | float) -> str:
    """Two decimals are enough for a picture."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
