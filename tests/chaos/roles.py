"""Which broker plays which part for the workers of a trial?"""

import asyncio
import socket
from enum import Enum
from typing import TYPE_CHECKING

from tests.chaos.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable


class Role(Enum):
    """A part that a broker plays."""

    PARTITION_LEADER = "leader of the changelog's first partition"
    TRANSACTION_COORDINATOR = "coordinator of the first worker's transactions"
    GROUP_COORDINATOR = "coordinator of the group"
    CONTROLLER = "controller"

    def __str__(self) -> str:
        """For the timeline."""
        return self.value


async def broker_of(trial: Trial, role: Role) -> int:
    """The broker that plays *role* just now."""
    roles, app_id = trial.cluster.roles, trial.settings.app_id
    asked: dict[Role, Callable[[], int]] = {
        Role.PARTITION_LEADER: lambda: roles.leader(trial.topology.episodes_changelog, 0),
        Role.TRANSACTION_COORDINATOR: lambda: roles.transaction_coordinator(f"{app_id}-{socket.gethostname()}-0"),
        Role.GROUP_COORDINATOR: lambda: roles.group_coordinator(app_id),
        Role.CONTROLLER: roles.controller,
    }
    found: int = await asyncio.to_thread(trial.cluster.until_known, asked[role])
    return found
