"""A site's mapping is checked before a message is: what is wrong with it is a sentence for each fault."""

from pathlib import Path

import pytest

from streams.adapters.mapping import MappingRefusedError, load_mapping, parse_mapping
from streams.instruments.registry import load_registry

REGISTRY = load_registry()


def refused(text: str) -> str:
    with pytest.raises(MappingRefusedError) as error:
        parse_mapping("", text, REGISTRY, name="site.toml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source = ", "site.toml is not TOML"),
        ("sauce = 'x'", "site.toml, sauce: Extra inputs are not permitted"),
        ("[scores]\nX = { instrument = 'mood' }", "scores.X: there is no instrument mood"),
        ("[questionnaires.u]\ninstrument = 'odi'", "questionnaires.u: name the item of the score"),
        ("[questionnaires.u]\ninstrument = 'odi'\nitems = ['1']", "odi is scored from 10 items, and 1 are named"),
        ("[questionnaires.u]\ninstrument = 'avvq'\nitems = ['1']", "avvq is scored from 0 items, and 1 are named"),
        ("[times]\nzone = 'Boston'", "times.zone: Boston is no time zone"),
        ("[times]\ndays = 'survey-first'", "a day begins and ends somewhere: name the zone"),
        ("[places_of_service]\nclinic = 'office'", "places_of_service.clinic"),
        ("[answers]\nLA1 = -1", "answers.LA1"),
    ],
)
def test_what_is_wrong(text: str, told: str) -> None:
    assert told in refused(text)


def test_the_registry_s_scores_are_known() -> None:
    """Each LOINC code once, with the version that it stands for."""
    mapping = load_mapping(None, REGISTRY)

    assert {code: (m.instrument, m.version) for code, m in mapping.scores.items()} == {
        **{i.loinc: (i.id, None) for i in REGISTRY.values() if i.loinc is not None},
        **{loinc: (i.id, version) for i in REGISTRY.values() for version, loinc in i.loinc_by_version.items()},
    }


def test_the_forms_of_the_package() -> None:
    """Their score items are the registry's codes, and every item is one that LOINC could have given."""
    for form in load_mapping(None, REGISTRY).questionnaires.values():
        assert form.score == REGISTRY[form.instrument].loinc
        for item in form.items:
            number, _, check = item.partition("-")
            digits = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number))]
            assert (10 - sum(digit // 10 + digit % 10 for digit in digits) % 10) % 10 == int(check)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MappingRefusedError, match="name a TOML file"):
        load_mapping(tmp_path / "none.toml", REGISTRY)
