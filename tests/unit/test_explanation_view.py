"""What a person sees of an explanation: it fits, it needs no colour, and nobody's data commands the terminal."""

import io
import re

import pytest
from msgspec.structs import replace
from rich.console import Console

from streams.cli.explain import print_explanation
from streams.domain.coder import CodedEpisode, advance
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT

EVERYTHING = (
    "odi 60 @-30d | odi/2.1 48 @-3d utc-5 | nprs - @-3d | lefs 9 @-3d void | T | T 97161 @+1d | T @+2d | "
    "odi/2.1 50 @+9d | odi/2.1 30 @+20d #f | odi/2.1 22 @+20d #f v2 amended | odi 50 @-1d ev:x | odi 44 @-1d #c ev:x"
)
OUR_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def shown(facts: list[Fact], *, episode_id: str = "episode-1", width: int = 80, colour: bool = False) -> str:
    """What a terminal is sent for an episode of which *facts* came one after the other."""
    coded = CodedEpisode()
    for fact in facts:
        coded = advance(coded, [Arrival(fact, 1_750_000_000_000)], episode_id=episode_id, policy=DEFAULT).after
    terminal = io.StringIO()
    console = Console(file=terminal, width=width, force_terminal=colour, color_system="truecolor" if colour else None)
    print_explanation(episode_id, coded, DEFAULT, console)
    return terminal.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_and_says_everything_without_colour(width: int) -> None:
    """Each verdict is a word, and no line is wider than the terminal."""
    text = shown(facts_of(EVERYTHING), width=width)

    words = (
        "G9603 baseline anchor qualifies follow-up improved superseded retracted excluded contested new replace agrees"
    )
    assert [word for word in words.split() if word not in text] == []
    assert "not used" in text
    assert "other followup, change" in " ".join(text.split())
    assert "warning Event ev:x of tablet came with two contents" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= width


def test_an_episode_without_a_code_says_so() -> None:
    """And that billing was told nothing."""
    text = shown(facts_of("odi 48 @-3d"))

    assert "not coded" in text
    assert "No treatment is known" in text
    assert "no treatment" in text
    assert "Coding events" not in text
    assert "agrees Billing was told nothing, and there is nothing to tell." in text


def test_long_ids_are_broken_over_lines_and_never_cut() -> None:
    """Whoever searches for an id finds all of it."""
    survey_id = "".join(f"{n:04}" for n in range(64))
    facts = [replace(f, survey_id=survey_id) if isinstance(f, Survey) else f for f in facts_of("odi 48 @-3d | T")]
    column = [line[18:44].strip() for line in shown(facts).splitlines()]

    assert survey_id in "".join(column)


def test_what_was_sent_is_shown_and_never_obeyed() -> None:
    """An id may look like markup, or like a command to the terminal: it is shown as text."""
    hostile = "\x1b]0;title\x07[bold red]x[/] \N{RIGHT-TO-LEFT OVERRIDE}"
    facts = [replace(fact, event_id=hostile, source=hostile, patient_id=hostile) for fact in facts_of("odi 48 | odi 9")]
    plain, coloured = (shown(facts, episode_id=hostile, colour=colour) for colour in (False, True))

    assert "[bold red]x[/]" in plain
    assert {"\x1b", "\x07", "\N{RIGHT-TO-LEFT OVERRIDE}"}.isdisjoint(plain)
    assert coloured != plain
    assert OUR_COLOURS.sub("", coloured) == plain
