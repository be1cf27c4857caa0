"""What the senders of an episode's facts should mend: the decision stands, but may rest on a mistake."""

from collections.abc import Iterator, Sequence

from streams.domain.fact import Fact
from streams.explanation.fact_roles import FactExplanation, Standing, is_repetition


def sender_faults(facts: Sequence[FactExplanation]) -> tuple[str, ...]:
    """A sentence for each fault in *facts*, the explained facts of one episode."""
    return (*_patients(facts), *_contested_events(facts), *_contested_versions(facts))


def _patients(facts: Sequence[FactExplanation]) -> Iterator[str]:
    standing = (Standing.COUNTS, Standing.EXCLUDED)
    patients = sorted({f.fact.patient_id for f in facts if f.part.standing in standing})
    if len(patients) > 1:
        yield (
            f"The facts name {len(patients)} patients ({', '.join(patients)}): some of them belong to another episode. "
            "Their sender corrects them by a higher version with the status entered-in-error."
        )


def _contested_events(facts: Sequence[FactExplanation]) -> Iterator[str]:
    for explained in facts:
        if explained.contested:
            fact = explained.fact
            yield (
                f"Event {fact.event_id} of {fact.source} came with two contents, and one of them was dropped by a "
                "fixed rule. Its sender gives each event an id of its own, and each correction a higher version."
            )


def _contested_versions(facts: Sequence[FactExplanation]) -> Iterator[str]:
    first: dict[tuple[tuple[str, str], int], Fact] = {}
    told = set()
    for explained in facts:
        fact = explained.fact
        key = (fact.identity, fact.version)
        other = first.setdefault(key, fact)
        if key not in told and not is_repetition(fact, other):
            told.add(key)
            yield (
                f"Version {fact.version} of {fact.identity[1]} was sent with two contents, and one of them counts by a "
                "fixed rule. Its sender gives each correction a higher version."
            )
