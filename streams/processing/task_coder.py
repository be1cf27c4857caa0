"""What every task of a worker shares."""

from collections.abc import Mapping
from dataclasses import dataclass

from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.processing.topology import Topology


@dataclass(frozen=True, slots=True)
class Coder:
    """What every task of a worker shares: how to read, by which rules, and into which topics."""

    decoder: Decoder
    policy: Policy
    topology: Topology
    partition_counts: Mapping[str, int]
    """Of every topic of the topology."""
    follows_traces: bool = False
    """Whether coding events continue the traces of the records that cause them."""

    @property
    def task_count(self) -> int:
        """How many partitions the changelog has."""
        return self.partition_counts[self.topology.episodes_changelog]
