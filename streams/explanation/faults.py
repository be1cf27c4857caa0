"""What the senders of an episode's facts should mend: the decision stands, but may rest on a mistake."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from streams.explanation.facts import FactExplanation, is_repetition
from streams.explanation.parts import Standing


def sender_faults(facts: Sequence[FactExplanation], survivors: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each fault in *facts*, the explained facts of one episode.

    Args:
        facts: All of them.
        survivors: By the id of a patient who was merged into another: that one.
    """
    return (*_patients(facts, survivors), *_contested_events(facts), *_contested_versions(facts))


def _patients(facts: Sequence[FactExplanation], survivors: Mapping[str, str]) -> Iterator[str]:
    standing = (Standing.COUNTS, Standing.EXCLUDED)
    told = {f.fact.patient_id for f in facts if f.part.standing in standing}
    patients = sorted({survivors.get(patient_id, patient_id) for patient_id in told})
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
    by_version: dict[tuple[tuple[str, str], int], list[FactExplanation]] = defaultdict(list)
    for explained in facts:
        by_version[explained.fact.identity, explained.fact.version].append(explained)
    for (identity, version), told in by_version.items():
        if not all(is_repetition(other.fact, told[0].fact) for other in told):
            yield (
                f"Version {version} of {identity[1]} was sent with two contents, and one of them counts by a fixed "
                "rule. Its sender gives each correction a higher version."
            )
