"""Starts a child process that cannot outlive this one.

A broker left running holds its port and its memory until somebody finds it.  Exit hooks are not enough: none
runs when this process is killed.  So a few lines of shell guard the child: they wait on a pipe that only this
process holds open, and the kernel closes it however this process ends.

(Linux's `PR_SET_PDEATHSIG` would be shorter, but it follows the *thread* that started the child, and a broker
may be started from a short-lived one.)
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# The guard goes to the background, then the shell becomes the command: `$$` is the process id of both.  The
# guard stays in the command's session, so the kernel gives that id to no stranger while the guard may still
# kill it.  A background job has no standard input, hence descriptor 3.  What is killed may be in the middle
# of writing a file, hence the second `rm`.
_GUARDED = """
folder=$1
shift
exec 3<&0 </dev/null
( read -r _ <&3; kill -KILL $$; rm -rf "$folder" || { sleep 1; rm -rf "$folder"; } ) &
exec "$@" 3<&-
"""


class GuardedProcess:
    """A running child that ends when it is told to, or when this process ends in any way.

    It has a session of its own, which also keeps a terminal's Ctrl-C from it: only this process stops it.

    Args:
        command: The program and its arguments.
        folder: The child's own folder, removed by the guard if this process dies.
        log_path: Where the child's output goes.
    """

    def __init__(self, command: Sequence[str], *, folder: Path, log_path: Path) -> None:
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - commands are built by this package, not from input
                ["/bin/sh", "-c", _GUARDED, "guard", str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the child ended, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the child to end by itself, *timeout_seconds* at most.

        Returns:
            Its exit code, or None if it runs on.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_seconds)
        return self.exit_code

    def pause(self) -> None:
        """Freeze the child (SIGSTOP), as a machine does that has lost its processor."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen child go on (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self, grace_seconds: float) -> None:
        """Ask the child to end (SIGTERM), and kill it if it has not after *grace_seconds*."""
        self._process.terminate()
        self.resume()  # a frozen child would sleep on its SIGTERM
        self.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End the child and its guard at once (SIGKILL).  The folder stays."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()  # closes the pipe and takes the exit code
