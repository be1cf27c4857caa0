"""Did the right codes come out?"""

from bench.broker_view import BrokerView
from bench.engines.engine import Launch
from bench.workload import Workload


async def faults(view: BrokerView, launch: Launch, workload: Workload) -> tuple[str, ...]:
    """What is wrong with the codes and, where all episodes stay open, with the state; empty if nothing."""
    found = []
    if await view.readable_count(launch.output_topic) is None:
        found.append("A transaction is still open in the output.")
    coded = await view.keys(launch.output_topic)
    if len(coded) != workload.code_count:
        found.append(f"{len(coded)} codes came out, not {workload.code_count}.")
    if launch.decides and (wrong := set(coded) ^ workload.coded_episodes()):
        found.append(f"{len(wrong)} episodes are coded and should not be, or the other way round.")
    if workload.open_only and launch.state_topic is not None:
        held = set(await view.keys(launch.state_topic, where=launch.is_episode))
        if len(held) != workload.episode_count:
            found.append(f"The state holds {len(held)} episodes, not {workload.episode_count}.")
    return tuple(found)
