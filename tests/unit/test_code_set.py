"""Which codes a pattern means, and how one that means none is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import TreatmentCodeSystem
from streams.domain.code_set import CodeSet

HCPCS, SNOMED_CT = TreatmentCodeSystem.HCPCS, TreatmentCodeSystem.SNOMED_CT

cpt_codes = st.integers(0, 99_999).map("{:05d}".format)
hcpcs_codes = st.one_of(
    cpt_codes,
    st.from_regex(r"[0-9]{4}[A-Z]", fullmatch=True),
    st.from_regex(r"[A-Z][0-9]{4}", fullmatch=True),
)
snomed_ct_codes = st.integers(100_000, 10**18 - 1).map(str)
patterns = st.one_of(
    hcpcs_codes.map("HCPCS:{}".format),
    snomed_ct_codes.map("SNOMED-CT:{}".format),
    st.lists(cpt_codes, min_size=2, max_size=2).map(lambda ends: f"HCPCS:{min(ends)}-{max(ends)}"),
    st.sampled_from(("HCPCS:nnnnF", "HCPCS:Gnnnn", "HCPCS:9nnnn", "HCPCS:*", "SNOMED-CT:*")),
)
coded = st.one_of(
    st.tuples(st.just(HCPCS), hcpcs_codes),
    st.tuples(st.just(SNOMED_CT), snomed_ct_codes),
    st.tuples(st.sampled_from(TreatmentCodeSystem), st.text(max_size=6)),
)


@pytest.mark.parametrize(
    ("pattern", "system", "code", "matches"),
    [
        pytest.param("HCPCS:97110", HCPCS, "97110", True, id="code"),
        pytest.param("HCPCS:97110", HCPCS, "97112", False, id="another-code"),
        pytest.param("HCPCS:97110", HCPCS, " 97110", False, id="space-before"),
        pytest.param("HCPCS:G9603", HCPCS, "g9603", True, id="lower-case"),
        pytest.param("HCPCS:0001F", HCPCS, "0001f", True, id="category-II-in-lower-case"),
        pytest.param("HCPCS:97161-97168", HCPCS, "97160", False, id="before-the-range"),
        pytest.param("HCPCS:97161-97168", HCPCS, "97161", True, id="first-of-the-range"),
        pytest.param("HCPCS:97161-97168", HCPCS, "97168", True, id="last-of-the-range"),
        pytest.param("HCPCS:97161-97168", HCPCS, "97169", False, id="behind-the-range"),
        pytest.param("HCPCS:00100-01999", HCPCS, "0042T", False, id="category-III-within-the-text-of-a-range"),
        pytest.param("HCPCS:00100-01999", HCPCS, "0101F", False, id="category-II-within-the-text-of-a-range"),
        pytest.param("HCPCS:97161-97161", HCPCS, "97161", True, id="range-of-one"),
        pytest.param("HCPCS:G9603-G9605", HCPCS, "G9604", True, id="within-a-level-II-range"),
        pytest.param("HCPCS:G9603-G9605", HCPCS, "H9604", False, id="another-letter"),
        pytest.param("HCPCS:97161-97168", HCPCS, "971615", False, id="longer-than-a-code"),
        pytest.param("HCPCS:nnnnF", HCPCS, "4040F", True, id="category-II"),
        pytest.param("HCPCS:nnnnF", HCPCS, "4040T", False, id="category-III"),
        pytest.param("HCPCS:nnnnF", HCPCS, "99213", False, id="category-I"),
        pytest.param("HCPCS:Gnnnn", HCPCS, "G0101", True, id="all-G-codes"),
        pytest.param("HCPCS:3647n", HCPCS, "36475", True, id="last-digit-open"),
        pytest.param("HCPCS:3647n", HCPCS, "36485", False, id="fixed-digit-differs"),
        pytest.param("HCPCS:*", HCPCS, "27447", True, id="any-CPT"),
        pytest.param("HCPCS:*", HCPCS, "J1885", True, id="any-level-II"),
        pytest.param("HCPCS:*", HCPCS, "0001U", True, id="any-laboratory-code"),
        pytest.param("HCPCS:*", HCPCS, "9711", False, id="four-characters"),
        pytest.param("HCPCS:*", HCPCS, "GG603", False, id="two-letters"),
        pytest.param("HCPCS:*", HCPCS, "٩٧١١٠", False, id="digits-of-another-script"),
        pytest.param("HCPCS:*", HCPCS, "", False, id="empty"),
        pytest.param("HCPCS:*", SNOMED_CT, "91251008", False, id="another-system"),
        pytest.param("HCPCS:97110", SNOMED_CT, "97110", False, id="the-code-in-another-system"),
        pytest.param("SNOMED-CT:91251008", SNOMED_CT, "91251008", True, id="SNOMED-CT"),
        pytest.param("SNOMED-CT:*", SNOMED_CT, "454711000124102", True, id="any-SNOMED-CT"),
        pytest.param("SNOMED-CT:*", SNOMED_CT, "12345", False, id="too-short-for-SNOMED-CT"),
    ],
)
def test_a_pattern_means_codes(pattern: str, system: TreatmentCodeSystem, code: str, *, matches: bool) -> None:
    """Which codes a code, a range, open digits and the star take in, and that systems are kept apart."""
    assert CodeSet([pattern]).matches(system, code) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("97110", id="no-system"),
        pytest.param("CPT:97110", id="unknown-system"),
        pytest.param("hcpcs:97110", id="system-in-lower-case"),
        pytest.param("HCPCS 97110", id="no-colon"),
        pytest.param("HCPCS: 97110", id="space"),
        pytest.param("HCPCS:", id="no-pattern"),
        pytest.param("", id="empty"),
        pytest.param("HCPCS:9711", id="four-characters"),
        pytest.param("HCPCS:971100", id="six-characters"),
        pytest.param("HCPCS:g9603", id="code-in-lower-case"),
        pytest.param("HCPCS:97168-97161", id="range-reversed"),
        pytest.param("HCPCS:97161-", id="open-range"),
        pytest.param("HCPCS:97161-97163-97168", id="three-ends"),
        pytest.param("HCPCS:9716n-97170", id="open-digit-in-a-range"),
        pytest.param("HCPCS:NNNNF", id="open-digits-in-upper-case"),
        pytest.param("HCPCS:97*", id="star-behind-digits"),
        pytest.param("HCPCS:٩٧١١٠", id="digits-of-another-script"),
        pytest.param("SNOMED-CT:12345", id="too-short-for-SNOMED-CT"),
        pytest.param("SNOMED-CT:1234567890123456789", id="too-long-for-SNOMED-CT"),
        pytest.param("SNOMED-CT:G9603", id="letters-in-SNOMED-CT"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    """A text that means no codes is refused with the ways to write a pattern."""
    with pytest.raises(ValueError, match=rf"^{re.escape(repr(pattern))} names no treatment codes: write HCPCS:"):
        CodeSet(["HCPCS:97110", pattern])


@given(code=hcpcs_codes)
def test_every_code_is_a_pattern_of_its_own(code: str) -> None:
    """Each code has its pattern, and the star takes it in, in upper and lower case."""
    for codes in (CodeSet([f"HCPCS:{code}"]), CodeSet(["HCPCS:*"])):
        assert codes.matches(HCPCS, code)
        assert codes.matches(HCPCS, code.lower())


@given(code=coded, text=hcpcs_codes)
def test_a_code_as_pattern_means_no_other(code: tuple[TreatmentCodeSystem, str], text: str) -> None:
    """A single code takes in itself alone."""
    system, other = code

    assert CodeSet([f"HCPCS:{text}"]).matches(system, other) is (system is HCPCS and other.upper() == text)


@given(ends=st.lists(st.integers(0, 99_999), min_size=2, max_size=2), number=st.integers(0, 99_999))
def test_a_range_is_its_ends_and_what_lies_between(ends: list[int], number: int) -> None:
    """A range of CPT codes is the range of their numbers."""
    codes = CodeSet([f"HCPCS:{min(ends):05d}-{max(ends):05d}"])

    assert codes.matches(HCPCS, f"{number:05d}") is (min(ends) <= number <= max(ends))


@given(parts=st.lists(patterns, max_size=4), code=coded)
def test_a_set_is_the_union_of_its_patterns(parts: list[str], code: tuple[TreatmentCodeSystem, str]) -> None:
    """A code is in the set when it is in one of its patterns; the order of these decides nothing."""
    together = CodeSet(parts).matches(*code)

    assert together is any(CodeSet([part]).matches(*code) for part in parts)
    assert together is CodeSet(reversed(parts)).matches(*code)


@given(parts=st.lists(patterns, max_size=3), code=coded)
def test_a_star_takes_in_all_of_its_system(parts: list[str], code: tuple[TreatmentCodeSystem, str]) -> None:
    """No pattern reaches beyond the stars of the two systems."""
    if CodeSet(parts).matches(*code):
        assert CodeSet(["HCPCS:*", "SNOMED-CT:*"]).matches(*code)


@given(parts=st.lists(patterns, max_size=3), others=st.lists(patterns, max_size=3))
def test_equal_patterns_make_equal_sets(parts: list[str], others: list[str]) -> None:
    """Code sets are values: equal, and of one hash, where their patterns are."""
    assert CodeSet(parts) == CodeSet(iter(parts))
    assert hash(CodeSet(parts)) == hash(CodeSet(parts))
    assert (CodeSet(parts) == CodeSet(others)) is (parts == others)
    assert CodeSet(parts) != parts
