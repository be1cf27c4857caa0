"""Which process is at the far end of a connection on this machine, by Linux's own books (proc(5))?"""

from contextlib import suppress
from pathlib import Path

_LOCAL, _REMOTE, _INODE = 1, 2, 9
"""Columns of /proc/net/tcp."""


class LocalClient:
    """The client of an accepted connection; its process is looked up when somebody asks.

    Args:
        client_port: The connection's port on the client's side.
        server_port: And on ours.
    """

    def __init__(self, client_port: int, server_port: int) -> None:
        self._client_port = client_port
        self._server_port = server_port
        self._inode: str | None = None
        self._answers: dict[int, bool] = {}

    def is_process(self, process_id: int) -> bool:
        """Whether *process_id* has opened the connection. What was once answered holds after it is closed, too."""
        if process_id not in self._answers:
            self._inode = self._inode or self._socket_inode()
            self._answers[process_id] = self._inode is not None and _has_open(process_id, self._inode)
        return self._answers[process_id]

    def _socket_inode(self) -> str | None:
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            ports = tuple(int(columns[column].rpartition(":")[2], 16) for column in (_LOCAL, _REMOTE))
            if ports == (self._client_port, self._server_port):
                return columns[_INODE]
        return None


def _has_open(process_id: int, inode: str) -> bool:
    """Whether one of the process's file descriptors is the socket *inode*."""
    with suppress(OSError):  # the process may have ended
        for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
            with suppress(OSError):  # or close the descriptor while it is looked at
                if str(descriptor.readlink()) == f"socket:[{inode}]":
                    return True
    return False
