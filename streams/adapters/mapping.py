"""How a site's messages are read: what comes with the package, and the site's own TOML file over it.

A code that is in neither means nothing to us. What a mapping says is checked before the first message is.
"""

import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.fields import Answer, Identifier
from schemas.vocabulary import TreatmentCodeSystem
from streams.adapters.times import Times
from streams.domain.instrument import InstrumentRegistry

_BUILT_IN = ("surveys.toml", "hl7v2.toml")
PLACE_PATTERN = r"^[A-Z][A-Z0-9]{2}-[1-9][0-9]?(\.[1-9][0-9]?){0,2}$"
"""Of what stands in an HL7 v2 message: SEG-field.component.subcomponent."""
LOINC_QUESTIONNAIRE = "http://loinc.org/q/"
"""What the url of a LOINC panel as a Questionnaire begins with; then comes the panel's code."""


class MappingRefusedError(Exception):
    """A mapping cannot be used; a line of the message for each fault."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MeasuredInstrument(_Part):
    """The instrument that a score is of."""

    instrument: str
    version: Identifier | None = None


class Questionnaire(MeasuredInstrument):
    """A form, by the ids of its items; for a linkId what stands behind its last slash."""

    score: str | None = None
    items: tuple[str, ...] = ()
    """Those that make the score, in the order of the instrument."""


class Identifiers(_Part):
    """By which system's identifier something is called; by the id of its reference where there is none."""

    patient: Identifier | None = None
    episode: Identifier | None = None
    encounter: Identifier | None = None
    facility: Identifier | None = None
    payer: Identifier | None = None


class TimesRead(_Part):
    """Where the sender's clocks are, and whether a day without a time will do."""

    zone: str | None = None
    days: Literal["refused", "survey-first"] = "refused"


Place = Annotated[str, Field(pattern=PLACE_PATTERN)]
Places = dict[str, Annotated[tuple[Place, ...], Field(min_length=1)]]


class Hl7v2Places(_Part):
    """Where HL7 v2 messages tell the fields of an event; the first place that tells one counts."""

    survey: Places = {}
    treatment: Places = {}


class Payers(_Part):
    """Names of payers that are none."""

    none: frozenset[str] = frozenset()


class Mapping(_Part):
    """What a site's codes and names mean."""

    source: Identifier | None = None
    identifiers: Identifiers = Identifiers()
    times: TimesRead = TimesRead()
    payers: Payers = Payers()
    places_of_service: dict[str, Annotated[str, Field(pattern=r"^[0-9]{2}$")]] = {}
    """By facility."""
    scores: dict[str, MeasuredInstrument] = {}
    """By LOINC code, besides those of the instrument registry."""
    questionnaires: dict[str, Questionnaire] = {}
    """By canonical URL, with or without a version."""
    answers: dict[str, Answer] = {}
    """By the code of the answer that was chosen."""
    code_systems: dict[str, TreatmentCodeSystem] = {}
    """By the name of a coding system in HL7 v2, besides those of table 0396."""
    hl7v2: Hl7v2Places = Hl7v2Places()

    @property
    def time_reading(self) -> Times:
        """How its times are read."""
        zone = ZoneInfo(self.times.zone) if self.times.zone is not None else None
        return Times(zone, takes_days=self.times.days == "survey-first")


def load_mapping(path: Path | None, instruments: InstrumentRegistry) -> Mapping:
    """The mapping that comes with the package, under the one in *path*.

    Raises:
        MappingRefusedError: The file cannot be read, is no mapping, or names an instrument that is none.
    """
    built_in = "\n".join(resources.files("streams.adapters").joinpath(name).read_text("utf-8") for name in _BUILT_IN)
    text = ""
    if path is not None:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path} cannot be read as a mapping ({type(error).__name__}): name a TOML file in UTF-8."
            raise MappingRefusedError(message) from None
    return parse_mapping(built_in, text, instruments, name=str(path))


def parse_mapping(built_in: str, text: str, instruments: InstrumentRegistry, *, name: str) -> Mapping:
    """The mapping *text* over the one that is *built_in*; `load_mapping` says more."""
    try:
        under = Mapping.model_validate(tomllib.loads(built_in))
        over = Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not TOML: {error}."
        raise MappingRefusedError(message) from None
    except ValidationError as error:
        faults = (f"{name}, {'.'.join(map(str, fault['loc']))}: {fault['msg']}." for fault in error.errors())
        raise MappingRefusedError("\n".join(faults)) from None
    registered = {loinc: MeasuredInstrument(instrument=id_, version=v) for loinc, id_, v in _registered(instruments)}
    mapping = over.model_copy(
        update={
            "scores": registered | over.scores,
            "questionnaires": under.questionnaires | over.questionnaires,
            "answers": under.answers | over.answers,
            "hl7v2": Hl7v2Places(
                survey=under.hl7v2.survey | over.hl7v2.survey, treatment=under.hl7v2.treatment | over.hl7v2.treatment
            ),
        }
    )
    if wrong := list(_faults(mapping, under, instruments)):
        raise MappingRefusedError("\n".join(f"{name}, {fault}" for fault in wrong))
    return mapping


def _registered(instruments: InstrumentRegistry) -> Iterator[tuple[str, str, str | None]]:
    for instrument in instruments.values():
        if instrument.loinc is not None:
            yield instrument.loinc, instrument.id, None
        for version, loinc in instrument.loinc_by_version.items():
            yield loinc, instrument.id, version


def _strange_places(mapping: Mapping, under: Mapping) -> Iterator[str]:
    for kind in ("survey", "treatment"):
        known: Places = getattr(under.hl7v2, kind)
        for name in getattr(mapping.hl7v2, kind):
            if name not in known:
                yield f"hl7v2.{kind}.{name}: there is no such field; there are {', '.join(known)}."


def _faults(mapping: Mapping, under: Mapping, instruments: InstrumentRegistry) -> Iterator[str]:
    named = {f"scores.{code}": score for code, score in mapping.scores.items()} | {
        f"questionnaires.{url}": form for url, form in mapping.questionnaires.items()
    }
    for place, measured in named.items():
        if measured.instrument not in instruments:
            known = "`g9603 schema instruments` lists those known"
            yield f"{place}: there is no instrument {measured.instrument}; {known}."
    for url, form in mapping.questionnaires.items():
        instrument = instruments.get(form.instrument)
        wanted = instrument.items.item_count if instrument is not None and instrument.items is not None else 0
        if form.score is None and not form.items:
            yield f"questionnaires.{url}: name the item of the score, or the items that make it."
        if form.items and len(form.items) != wanted:
            named_items = f"and {len(form.items)} are named"
            yield f"questionnaires.{url}: {form.instrument} is scored from {wanted} items, {named_items}."
    yield from _strange_places(mapping, under)
    if mapping.times.zone is not None:
        try:
            ZoneInfo(mapping.times.zone)
        except (ZoneInfoNotFoundError, ValueError):
            yield f"times.zone: {mapping.times.zone} is no time zone; write one as America/New_York."
    if mapping.times.days == "survey-first" and mapping.times.zone is None:
        yield "times: a day begins and ends somewhere: name the zone."
