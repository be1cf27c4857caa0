"""Which numbers are withheld, because few people stand behind them?

CMS cell size suppression policy (https://www.hhs.gov/guidance/document/cms-cell-suppression-policy): no cell from 1 to
10 is reported, nor can one be derived from what is, by a percentage or by subtraction; zero may be.

So a group is withheld where its size, its count, or what its count leaves of its size is from 1 to 10. And where what
is withheld could be had by taking the others from the total, the next smallest groups are withheld, too.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

SMALL_MAX = 10


class Cell(NamedTuple):
    """A group of so many, and so many of them."""

    size: int
    number: int


def is_small(cell: Cell) -> bool:
    """Whether *cell* shows a number from 1 to 10, or lets it be derived."""
    return any(1 <= number <= SMALL_MAX for number in (cell.size, cell.number, cell.size - cell.number))


def withheld(cells: Mapping[str, Cell]) -> frozenset[str]:
    """The names of those of *cells* that are not to be shown; they divide one total among them."""
    hidden = {name for name, cell in cells.items() if is_small(cell)}
    shown = sorted(cells.keys() - hidden, key=lambda name: (cells[name].size, name))
    while hidden and shown and (len(hidden) == 1 or is_small(_sum(cells[name] for name in hidden))):
        hidden.add(shown.pop(0))
    return frozenset(hidden)


def _sum(cells: Iterable[Cell]) -> Cell:
    together = list(cells)
    return Cell(sum(cell.size for cell in together), sum(cell.number for cell in together))
