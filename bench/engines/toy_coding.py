"""Reading an event and deciding, for the Python engines that bring neither; the standard library is all it needs.

An episode is a dict of what JSON can hold, so that any engine can keep it: ``{"surveys": {id: [instrument, score,
completed_at]}, "treatments": {id: performed_at}, "coded": true}``, times in seconds since 1970.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

Episode: TypeAlias = dict[str, Any]
Value: TypeAlias = Mapping[str, Any]

_DAY_SECONDS = 86_400
_LOOK_BACK_SECONDS = 90 * _DAY_SECONDS
_WINDOW_SECONDS = 365 * _DAY_SECONDS
_SCORE_MAX = {"odi": 100, "phq9": 27}
_REQUIRED = ("event_id", "source", "episode_id", "patient_id")
_NOT_QUALIFYING = {str(code) for code in range(97161, 97169)} | {"G9603", "G9604", "G9605"}


def with_event(episode: Episode | None, value: Value) -> Episode:
    """*episode* with what *value* tells; the first event makes it.

    Raises:
        ValueError: The event breaks a type or a range.
    """
    known = episode or {"surveys": {}, "treatments": {}, "coded": False}
    if any(not isinstance(value.get(name), str) for name in _REQUIRED):
        message = "A required field is missing, or no text."
        raise ValueError(message)
    if "survey_id" in value:
        known["surveys"].setdefault(value["survey_id"], _survey(value))
    elif not (value["code"] in _NOT_QUALIFYING or value["code"].endswith("F")):
        known["treatments"].setdefault(value["treatment_id"], _seconds(value["performed_at"]))
    return known


def code_if_new(episode_id: str, episode: Episode) -> dict[str, object] | None:
    """The code, the first time that it is earned; *episode* then notes so.

    As the contract has it for one respondent and scores that get better as they fall.
    """
    surveys = episode["surveys"]
    if episode["coded"] or len(surveys) < 2 or not episode["treatments"]:  # noqa: PLR2004 - one before, one after
        return None
    for survey_id in sorted(surveys, key=lambda known: surveys[known][2]):
        baseline_id = _baseline_of(surveys[survey_id], episode)
        if baseline_id is not None and surveys[survey_id][1] < surveys[baseline_id][1]:
            episode["coded"] = True
            change = surveys[survey_id][1] - surveys[baseline_id][1]
            return {
                "code": "G9603",
                "episode_id": episode_id,
                "baseline": baseline_id,
                "follow_up": survey_id,
                "change": change,
            }
    return None


def _survey(value: Value) -> list[Any]:
    instrument, score = value["instrument"], value["score"]
    if instrument not in _SCORE_MAX or not 0 <= score <= _SCORE_MAX[instrument]:
        message = "This instrument is not known, or has no such score."
        raise ValueError(message)
    return [instrument, score, _seconds(value["completed_at"])]


def _seconds(time: str) -> float:
    told = datetime.fromisoformat(time)
    if told.tzinfo is None:
        message = "A time has no offset."
        raise ValueError(message)
    return told.timestamp()


def _baseline_of(follow_up: list[Any], episode: Episode) -> str | None:
    """The survey that *follow_up* is compared with, if it is a follow-up at all."""
    instrument, _, completed_at = follow_up
    for performed_at in sorted(episode["treatments"].values()):
        if performed_at >= completed_at:
            return None
        before = [
            survey_id
            for survey_id, (other, _, at) in episode["surveys"].items()
            if other == instrument and 0 <= performed_at - at <= _LOOK_BACK_SECONDS
        ]
        if before:
            last = max(at for at in episode["treatments"].values() if at < completed_at)
            latest = max(before, key=lambda survey_id: episode["surveys"][survey_id][2])
            return latest if completed_at - last <= _WINDOW_SECONDS else None
    return None
