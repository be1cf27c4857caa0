"""What all peers are told, and the topic where their codes come out."""

from bench.engines.engine import Run
from streams.processing.topology import TopicSpecification, Topology


def peer_environment(run: Run, **more: object) -> dict[str, str]:
    """Environment variables of a peer; *more* with ``BENCH_`` before its names in capitals."""
    inputs = Topology(topic_prefix=run.topic_prefix)
    told = {
        "bootstrap_servers": run.bootstrap_servers,
        "app_id": run.id,
        "surveys": inputs.survey_completed,
        "treatments": inputs.treatment_recorded,
        "codes": codes_topic(run).name,
        "local_folder": run.local_folder,
        "durable_folder": run.durable_folder,
    }
    return {f"BENCH_{name.upper()}": str(value) for name, value in (told | more).items()}


def codes_topic(run: Run) -> TopicSpecification:
    """Where the codes come out."""
    return TopicSpecification(f"{run.id}-codes", "out: the codes", {})
