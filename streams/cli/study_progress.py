"""How a study shows on a terminal that it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streams.cli.console import err
from streams.replay.replaying import OnProgress
from streams.replay.study import Progress as StudyProgress


@contextmanager
def study_progress(examining: str) -> Iterator[OnProgress]:
    """Two bars on standard error: what is read, and what is then done with it.

    Args:
        examining: What is done with it.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        reading, examined = progress.add_task("reading", total=None), progress.add_task(examining, total=None)

        def show(told: StudyProgress) -> None:
            progress.update(reading, completed=told.read, total=told.to_read)
            progress.update(examined, completed=told.examined, total=told.to_examine)

        yield show
