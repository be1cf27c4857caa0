"""The results of an ORU^R01: each OBR with the OBX behind it, their codes, states and values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.vocabulary import RecordStatus
from streams.adapters.adaptation import FaultError, FaultReason
from streams.adapters.hl7v2.message import Segment, name_of, text_at
from streams.adapters.scores import plain_score

STATUS = {
    "F": RecordStatus.COMPLETED,
    "C": RecordStatus.AMENDED,
    "D": RecordStatus.ENTERED_IN_ERROR,
    "W": RecordStatus.ENTERED_IN_ERROR,
}
"""By OBX-11 (table 0085); by OBR-25 (table 0123) where that is empty, in which F and C mean the same. The others are
no results, or not yet."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class Result:
    """One OBX of an OBR."""

    request: Segment
    segment: Segment
    where: str

    @property
    def codes(self) -> tuple[str, str]:
        """What was observed: OBX-3, and the alternate code beside it."""
        return text_at(self.segment, 3, 1), text_at(self.segment, 3, 4)

    @property
    def status(self) -> RecordStatus | None:
        """Whether it stands; None where it is no result."""
        return STATUS.get(text_at(self.segment, 11) or text_at(self.request, 25))

    @property
    def score(self) -> str | None:
        """Its value as a number, digit by digit; None where there is none.

        Raises:
            FaultError: It is something else.
        """
        number = self._number(text_at(self.segment, 5, 2 if text_at(self.segment, 2) == "SN" else 1))
        return plain_score(number, self.where)

    def answer(self, counts: Mapping[str, int]) -> int | None:
        """What the answer counts for: itself where it is a number, else as *counts* has its code; None without one.

        Raises:
            FaultError: Nothing tells.
        """
        text = text_at(self.segment, 5, 1)
        if not text:
            return None
        if text in counts:
            return counts[text]
        number = self._number(text)
        if number is None or number != int(number):
            detail = f"{self.where}: the answer counts for a fraction of a point."
            raise FaultError(FaultReason.INVALID, detail)
        return int(number)

    def _number(self, text: str) -> Decimal | None:
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            detail = f"{self.where}: OBX-5 is no number, and [answers] has no such code."
            raise FaultError(FaultReason.INVALID, detail)
        return Decimal(text)


@dataclass(frozen=True, slots=True)
class Order:
    """An OBR, and its results."""

    segment: Segment
    where: str
    results: Sequence[Result]

    @property
    def codes(self) -> tuple[str, str]:
        """What was asked for: OBR-4, and the alternate code beside it."""
        return text_at(self.segment, 4, 1), text_at(self.segment, 4, 4)


def orders(block: Sequence[Segment]) -> Iterator[Order]:
    """The orders of one patient's segments."""
    request: Segment | None = None
    results: list[Result] = []
    number = 0
    for segment in block:
        if name_of(segment) == "OBR":
            if request is not None:
                yield Order(request, f"OBR {number}", results)
            request, results, number = segment, [], number + 1
        elif name_of(segment) == "OBX" and request is not None:
            results.append(Result(request, segment, f"OBR {number}, OBX {len(results) + 1}"))
    if request is not None:
        yield Order(request, f"OBR {number}", results)
