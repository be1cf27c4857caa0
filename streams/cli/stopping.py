"""How a command that runs until it is told to stop hears that."""

import asyncio
import signal


def stop_at_signals() -> asyncio.Event:
    """An event that is set at SIGTERM and SIGINT, on the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
