"""The engines by name; a further one is a module beside this one and a line here."""

from collections.abc import Mapping

from bench.engines.engine import Engine
from bench.engines.plain_faust import PlainFaust
from bench.engines.this_worker import ThisWorker

SUBJECT: Engine = ThisWorker()
YARDSTICK: Engine = PlainFaust()
"""What the subject's rate is held against."""

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (SUBJECT, YARDSTICK)}
