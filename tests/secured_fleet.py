"""Workers on a secured Kafka, with exactly the rights of workers; what a test does itself, it does as administrator."""

import asyncio
import re
from pathlib import Path
from typing import Any

from streams.demo.worker_process import WorkerProcess
from streams.kafka.connection import connection_options
from streams.processing.access import Operation, PatternType, ResourceType, Right, Role, rights_of
from streams.settings import Settings
from tests.fleet import WAIT_SECONDS_MAX, Fleet
from tests.secured_kafka import SecuredKafka

PASSWORD = "correct-horse-battery"  # noqa: S105 - of users who live as long as a test


class SecuredFleet(Fleet):
    """The workers of one application of its own; nobody is let in at first.

    Args:
        kafka: The broker.
        prefix: For its topics, its group, its transactional ids and its principal.
        folder: For logs, local state and credentials.
    """

    def __init__(self, kafka: SecuredKafka, prefix: str, folder: Path) -> None:
        super().__init__(kafka, prefix, folder)
        self.kafka = kafka
        self.principal = f"{prefix[-30:].lstrip('-')}worker"  # a certificate's name has 64 characters at most
        self.rights = rights_of(Role.WORKER, self.topology)
        self._names: dict[str, Any] = self.settings.model_dump(include={"app_id", "topic_prefix", "data_dir"})
        self._credentials = folder
        self.connection = connection_options(Settings(**kafka.as_administrator(), **self._names))

    @property
    def token_file(self) -> Path:
        """Where a worker that shows a token finds it."""
        return self._credentials / "token"

    def let_in(self, way: str) -> None:
        """Have workers start with credentials of the kind *way*, and with the rights of a worker."""
        self.settings = Settings(**self._access(way), **self._names)
        self.kafka.grant(self.principal, self.rights)

    def use(self, access: dict[str, Any]) -> None:
        """Have workers start with the settings *access*."""
        self.settings = Settings(**access, **self._names)

    def _access(self, way: str) -> dict[str, Any]:
        match way:
            case "password":
                self.kafka.add_user(self.principal, PASSWORD)
                return self.kafka.by_password(self.principal, PASSWORD)
            case "certificate":
                return self.kafka.by_certificate(self.kafka.authority.issue(self.principal))
            case _:
                self.token_file.touch(mode=0o600)
                self.token_file.write_text(self.kafka.token(self.principal))
                return self.kafka.by_token(self.token_file)

    def used_rights(self) -> set[Right]:
        """The rights by which the broker has allowed the workers something, from the log of its decisions.

        Whoever may read or write may describe: what was described proves no right.
        """
        assert self.kafka.folder is not None
        log = (self.kafka.folder / "kafka.log").read_text()
        decision = re.compile(
            rf"Principal = User:{self.principal} is Allowed operation = (\w+) .*"
            r"resourceType=(\w+), resourceName=(.*), patternType=(\w+), .*operation=(\w+),"
        )
        return {
            Right(ResourceType[resource], name, Operation[operation], PatternType[pattern])
            for asked, resource, name, pattern, operation in decision.findall(log)
            if asked == operation
        }


async def ended(worker: WorkerProcess) -> int:
    """The exit code of a worker that ends by itself."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while worker.running:
            await asyncio.sleep(0.1)
    return worker.stop()
