"""The promises that exactly-once rests on, each of which can be broken on purpose.

A simulation that finds nothing proves nothing: `test_broken_protocols` breaks one promise at a time, and the
same machine must then find a history in which a code is lost, doubled or wrong.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protocol:
    """All promises kept, unless said otherwise."""

    restores_to_high_watermark: bool = True
    """Else to the last stable offset, which hides what is committed but for its markers."""
    fences_generations: bool = True
    """Else the group coordinator takes offsets from anybody (KIP-447 left out)."""
    commits_for_the_batch: bool = True
    """Else in the name of the generation that the member is in when it commits."""
    commits_offsets_inside: bool = True
    """Else with a plain OffsetCommit once the transaction is through."""
    sends_before_offsets: bool = True
    """Else the offsets are committed to the transaction before its records are in the log."""
    ends_once: bool = True
    """Else EndTxn is sent again, under the same epoch, when its answer is lost."""
    parks_for_one_generation: bool = True
    """Else a task that was parked goes on even where another generation lies in between."""
    drops_stale_fetches: bool = True
    """Else a run of records that was fetched under a generation that is over is taken in."""
    fences_producers: bool = True
    """Else InitProducerId gives the producer id and the epoch of before, and ends nothing."""


AS_BUILT = Protocol()
