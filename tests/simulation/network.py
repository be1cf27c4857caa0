"""Requests on their way to the broker, and answers on their way back.

Nothing moves by itself: each request is taken by the broker, and each answer handed over, when the simulation
says so. What a connection that breaks leaves behind may be taken by the broker later, as in life.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.simulation.refusals import ConnectionLostError, NotYetError
from tests.simulation.timeline import Timeline

AnswerT = TypeVar("AnswerT")


@dataclass(slots=True, eq=False)
class Request:
    """One request; *act* is what the broker does with it."""

    sender: str
    name: str
    act: Callable[[], Any]
    answer: asyncio.Future[Any]
    is_inside: bool = False
    """It never leaves the process: no connection can break under it, and it ends with its process."""
    outcome: Callable[[], None] | None = None
    """Hands the answer over; None until the broker has taken the request."""


@dataclass(slots=True)
class Network:
    """Everything that is on its way."""

    timeline: Timeline
    in_flight: list[Request] = field(default_factory=list)
    stragglers: list[Request] = field(default_factory=list)
    """Sent, not taken yet, and nobody waits for the answer any more."""

    def ask(self, sender: str, name: str, act: Callable[[], AnswerT]) -> "asyncio.Future[AnswerT]":
        """Send a request; the future is its answer."""
        self.timeline.note(sender, f"sends {name}")
        return self._begin(sender, name, act, is_inside=False)

    def pass_on(self, sender: str, name: str) -> "asyncio.Future[None]":
        """What waits inside a process for its turn, as a fetched run does in Faust's streams."""
        return self._begin(sender, name, lambda: None, is_inside=True)

    def _begin(
        self, sender: str, name: str, act: Callable[[], AnswerT], *, is_inside: bool
    ) -> "asyncio.Future[AnswerT]":
        answer = asyncio.get_running_loop().create_future()
        self.in_flight.append(Request(sender, name, act, answer, is_inside))
        return answer

    def of(self, sender: str) -> list[Request]:
        """The requests of *sender*, oldest first."""
        return [request for request in self.in_flight if request.sender == sender]

    def take(self, request: Request) -> bool:
        """Have the broker act on *request*; False where it has to wait."""
        if request.outcome is not None:
            return True
        try:
            value = request.act()
        except NotYetError:
            return False
        except Exception as refusal:  # noqa: BLE001 - any refusal is an answer
            error = refusal
            request.outcome = lambda: request.answer.set_exception(error)
            self.timeline.note("broker", f"refuses {request.sender}'s {request.name}: {type(error).__name__}")
        else:
            request.outcome = lambda: request.answer.set_result(value)
            who, what = (request.sender, "") if request.is_inside else ("broker", f"takes {request.sender}'s ")
            self.timeline.note(who, f"{what}{request.name}")
        return True

    def hand_over(self, request: Request) -> None:
        """Give the answer to *request* to who waits for it."""
        self.in_flight.remove(request)
        if request.outcome is not None and not request.answer.done():
            request.outcome()

    def lose(self, request: Request) -> None:
        """Break the connection: no answer comes; what the broker has not taken yet it may take later."""
        if request.is_inside:
            return
        self.in_flight.remove(request)
        # A late TxnOffsetCommit may set an offset back in the next transaction; README.md says why that is left out.
        if request.outcome is None and not request.name.startswith("TxnOffsetCommit"):
            self.stragglers.append(request)
        self.timeline.note("network", f"loses the answer to {request.sender}'s {request.name}")
        if not request.answer.done():
            request.answer.set_exception(ConnectionLostError())

    def abandon(self, sender: str) -> None:
        """*sender* is no more; what it has sent is still on its way."""
        for request in self.of(sender):
            self.in_flight.remove(request)
            if request.outcome is None and not request.is_inside:
                self.stragglers.append(request)

    def take_straggler(self, request: Request) -> None:
        """Have the broker act on a request that nobody waits for; whatever it answers is lost."""
        self.stragglers.remove(request)
        if not self.take(request):
            self.timeline.note("network", f"drops {request.sender}'s late {request.name}: it would have to wait")
