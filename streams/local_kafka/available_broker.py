"""Chooses the best broker there is: the one named, else a real Kafka, else a stand-in."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, NamedTuple

from streams.local_kafka.in_process_broker import CANNOT_SHOW, InProcessBroker, InProcessBrokerUnavailableError
from streams.local_kafka.java import JavaUnavailableError
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.maven import MavenUnavailableError


class RunningBroker(NamedTuple):
    """A broker that answers.

    Attributes:
        bootstrap_servers: Where clients connect.
        kind: Whether it was `given`, is a real `kafka` of ours, or is `in-process`.
        description: One sentence for the user: what it is, and what happens to its data.
        ensure_topics: How topics come to be on a broker that has no request to create them.
    """

    bootstrap_servers: str
    kind: Literal["given", "kafka", "in-process"]
    description: str
    ensure_topics: Callable[[Iterable[str]], None] | None = None


class NoBrokerError(Exception):
    """There is no way to have a broker; the message names the ways."""


@contextmanager
def available_broker(bootstrap_servers: str | None, on_progress: Callable[[str], None]) -> Iterator[RunningBroker]:
    """A broker for the length of the context.

    Args:
        bootstrap_servers: The Kafka to use, as G9603_BOOTSTRAP_SERVERS names it, whether it answers or not.
            None starts one: a real Kafka where there is Java, and Maven or the jars it has fetched before;
            else the stand-in.
        on_progress: Told, in a sentence, what takes time, and why it is the stand-in if it is.

    Raises:
        NoBrokerError: None was given, and neither kind can be started.
        BrokerStartError: A real Kafka was started and did not come up.
    """
    if bootstrap_servers:
        yield RunningBroker(bootstrap_servers, "given", f"The Kafka at {bootstrap_servers}.")
        return
    with ExitStack() as stack:
        try:
            kafka = stack.enter_context(LocalKafka(on_progress=on_progress))
        except (JavaUnavailableError, MavenUnavailableError) as error:
            on_progress(str(error))
            yield _in_process(stack, why_no_kafka=error)
        else:
            description = f"Apache Kafka {kafka.version} on {kafka.bootstrap_servers}, gone with its data at the end."
            yield RunningBroker(kafka.bootstrap_servers, "kafka", description)


def _in_process(stack: ExitStack, *, why_no_kafka: Exception) -> RunningBroker:
    try:
        broker = stack.enter_context(InProcessBroker())
    except InProcessBrokerUnavailableError as error:
        message = f"{why_no_kafka}\nOr do with a stand-in for Kafka. {error}"
        raise NoBrokerError(message) from error
    return RunningBroker(broker.bootstrap_servers, "in-process", CANNOT_SHOW, broker.ensure_topics)
