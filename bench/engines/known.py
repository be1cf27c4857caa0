"""The engines by name; a further one is a module beside this one and a line here."""

from collections.abc import Mapping

from bench.engines.engine import Engine
from bench.engines.flink import Flink
from bench.engines.kafka_streams import KafkaStreams
from bench.engines.limit import Limit
from bench.engines.plain_faust import PlainFaust
from bench.engines.python_peer import PythonPeer
from bench.engines.this_worker import ThisWorker

SUBJECT: Engine = ThisWorker()
_ALL: tuple[Engine, ...] = (
    SUBJECT,
    ThisWorker(process_count=2),
    KafkaStreams("rocksdb", 1),
    KafkaStreams("rocksdb", 2),
    KafkaStreams("memory", 1),
    KafkaStreams("memory", 2),
    Flink(1),
    Flink(2),
    PlainFaust("plain-faust", "at_least_once"),
    PlainFaust("faust-exactly-once", "exactly_once"),
    PythonPeer("quix", 20_000),
    PythonPeer("bytewax", 30_000),
    Limit(),
)
ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in _ALL}
SHORT = ("this-worker", "kafka-streams-rocksdb", "plain-faust", "limit")
"""Those of ``make bench``."""
