"""How a record carries its event: bare, or as CloudEvents 1.0 in binary or structured mode.

The rules are those of the CloudEvents Kafka protocol binding, section 3: the content type tells the
mode, attributes stand in ``ce_`` headers in binary mode, and in the JSON envelope in structured mode.
"""

from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.fields import Identifier
from streams.intake.rejection import RejectedError, RejectionReason

Headers = Sequence[tuple[str, bytes | None]]

EventT = TypeVar("EventT", bound=BaseModel)

_STRUCTURED = b"application/cloudevents+json"
_ANY_STRUCTURED = b"application/cloudevents"
_SPEC_VERSION = b"1.0"


class StructuredEvent(BaseModel, Generic[EventT]):
    """The JSON envelope of a CloudEvent in structured mode."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Identifier
    source: Identifier
    type: Identifier
    data: EventT


def is_structured(headers: Headers) -> bool:
    """Whether a record with *headers* carries a CloudEvent in structured mode.

    Raises:
        RejectedError: It is a CloudEvent of another version, or in another format than JSON.
    """
    if not headers:
        return False
    structured = False
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type" and value is not None:
            media_type = value.split(b";", 1)[0].strip().lower()
            structured = media_type == _STRUCTURED
            if not structured and media_type.startswith(_ANY_STRUCTURED):
                detail = "content-type: of the structured formats, application/cloudevents+json is read."
                raise RejectedError(RejectionReason.UNSUPPORTED_CLOUDEVENT, detail)
        elif lower == "ce_specversion" and value != _SPEC_VERSION:
            detail = "ce_specversion: CloudEvents 1.0 is read."
            raise RejectedError(RejectionReason.UNSUPPORTED_CLOUDEVENT, detail)
    return structured
