"""What processes have used, by Linux's own books (proc(5))."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_KIB_PER_MIB = 1024

# Fields of /proc/<pid>/stat, counted from the one behind the command in parentheses.
_PARENT = 1
_CPU_TICKS = slice(11, 15)
"""In user and in system mode, of the process and of its children that have ended."""


def is_supported() -> bool:
    """Whether this system keeps such books."""
    return (_PROC / "self" / "stat").exists()


class ProcessTree:
    """A process and all its descendants."""

    def __init__(self, root_id: int) -> None:
        self._root_id = root_id

    def cpu_seconds(self) -> float:
        """Processor time used so far, by those that live and those that they have waited for."""
        ticks = 0
        for process_id in self._members():
            with suppress(OSError):
                ticks += sum(map(int, _stat(process_id)[_CPU_TICKS]))
        return ticks / _TICKS_PER_SECOND

    def peak_resident_mib(self) -> float:
        """The most memory that each process ever had resident (VmHWM), added up."""
        kib = 0
        for process_id in self._members():
            with suppress(OSError):
                for line in (_PROC / str(process_id) / "status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        kib += int(line.split()[1])
        return kib / _KIB_PER_MIB

    def _members(self) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                with suppress(OSError):  # it may end while it is looked at
                    children.setdefault(int(_stat(int(entry.name))[_PARENT]), []).append(int(entry.name))
        pending = [self._root_id]
        while pending:
            process_id = pending.pop()
            yield process_id
            pending += children.get(process_id, [])


def child_trees() -> list[ProcessTree]:
    """The trees below this process."""
    return [
        ProcessTree(int(child))
        for task in (_PROC / "self" / "task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def machine_busy_seconds() -> float:
    """Processor time used so far by everything on the machine."""
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, *_ = map(
        int, (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + interrupts + soft_interrupts) / _TICKS_PER_SECOND


def _stat(process_id: int) -> list[str]:
    # The command may hold spaces and parentheses itself.
    return (_PROC / str(process_id) / "stat").read_text().rpartition(")")[2].split()
