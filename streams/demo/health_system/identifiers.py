"""What everything is called: ids that look like ids and are plainly nobody's."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Numbering:
    """Hands out ids: the next number under each prefix.

    Attributes:
        numbers_taken: So many are another's under every prefix: of two parts of one year, for example.
    """

    numbers_taken: int = 0
    _last: Counter[str] = field(default_factory=Counter)

    def next_id(self, prefix: str) -> str:
        """Give ``EP-000001``, then ``EP-000002``, and so on."""
        self._last[prefix] += 1
        return f"{prefix}-{self.numbers_taken + self._last[prefix]:06d}"

    def earlier_id(self, prefix: str, rng: Random) -> str:
        """Give one of the ids handed out before."""
        return f"{prefix}-{self.numbers_taken + rng.randint(1, self._last[prefix]):06d}"


def synthetic_npi(clinician: int) -> str:
    """Make a National Provider Identifier that is well formed and plainly nobody's: ``19999nnnnC``.

    The last digit is the Luhn check digit over the number prefixed with 80840 (CMS, "Requirements for
    NPI and NPI Check Digit").

    Args:
        clinician: 0 to 9999.
    """
    body = f"19999{clinician:04d}"
    doubled_first = [int(digit) for digit in reversed("80840" + body)]
    total = sum(sum(divmod(2 * digit, 10)) for digit in doubled_first[::2]) + sum(doubled_first[1::2])
    return f"{body}{-total % 10}"
