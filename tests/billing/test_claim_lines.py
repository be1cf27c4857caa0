"""A coding event on an 837P claim: pyx12, a validator that we did not write, takes the claim that carries the line."""

import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from pyx12.params import params
from pyx12.x12n_document import x12n_document

from schemas.vocabulary import Channel
from streams.billing.chain import Told
from streams.billing.exports.claim_line import claim_line
from tests.billing.test_exports import EVERYTHING, HISTORY, LEAST, STORY, by_channel

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "low-back-pain.claim-lines.ndjson"

BEFORE = """\
BHT*0019*00*1*20260407*1200*CH~NM1*41*2*CLINIC*****46*123~PER*IC*BILLING*TE*5555550100~NM1*40*2*PAYER*****46*456~
HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~N3*1 MAIN STREET~N4*BOSTON*MA*021150001~REF*EI*123456789~
HL*2*1*22*0~SBR*P*18*******CI~NM1*IL*1*DOE*JANE****MI*M1~N3*2 MAIN STREET~N4*BOSTON*MA*021150001~DMG*D8*19740101*F~
NM1*PR*2*PAYER*****PI*60054~CLM*A1*100.01***11:B:{frequency}*Y*A*Y*Y~{original}HI*{diagnoses}~
NM1*82*1*ROE*RICHARD****XX*1234567893~
LX*1~SV1*HC:97110*100*UN*1***1~DTP*472*D8*20260407~LX*2~"""
"""A claim that billing has made, up to our line: that of the visit."""


def claim_with(line: dict[str, Any]) -> str:
    """A whole interchange with *line* on its claim."""
    codes = [code.replace(".", "") for code in line["diagnoses"]]
    diagnoses = "*".join(f"{'ABF' if number else 'ABK'}:{code}" for number, code in enumerate(codes))
    original = "" if line["frequency_code"] == "1" else "REF*F8*ICN1~"
    before = BEFORE.format(frequency=line["frequency_code"], diagnoses=diagnoses, original=original)
    body = f"ST*837*0001*005010X222A1~{before}{line['segments']}".replace("\n", "")
    isa = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'CLINIC':15}*ZZ*{'PAYER':15}*260407*1200*^*00501*000000001*0*T*:~"
    group = "GS*HC*CLINIC*PAYER*20260407*1200*1*X*005010X222A1~"
    return f"{isa}{group}{body}SE*{body.count('~') + 1}*0001~GE*1*1~IEA*1*000000001~"


def judged(*lines: dict[str, Any]) -> str:
    """What pyx12 says against an interchange of claims, each with one of *lines*."""
    head, *_ = claim_with(lines[0]).partition("ST*")
    claims = [f"ST*{claim_with(line).partition('ST*')[2].partition('GE*')[0]}" for line in lines]
    numbered = "".join(claim.replace("*0001", f"*{number:04}") for number, claim in enumerate(claims, start=1))
    interchange = f"{head}{numbered}GE*{len(lines)}*1~IEA*1*000000001~"
    acknowledged, told = io.StringIO(), io.StringIO()
    valid = x12n_document(params(), io.StringIO(interchange), acknowledged, None, fd_json=told)
    return "" if valid else told.getvalue()


def test_the_story_on_claims() -> None:
    """Billed, replaced, voided: as the file has it, and each taken by the judge."""
    lines = [claim_line(told) for told in HISTORY]

    assert [orjson.dumps(line) for line in lines] == GOLDEN.read_bytes().splitlines()
    assert [line and line["frequency_code"] for line in lines] == ["1", "7", "8"]
    for line in lines:
        assert line is not None
        assert not judged(line)


def test_with_everything() -> None:
    """Modifiers, a charge that is none of zero, more than one diagnosis."""
    line = claim_line(Told(None, EVERYTHING))

    assert line is not None
    assert line["segments"].startswith("SV1*HC:G9603:GP:KX*1*UN*1***1:2~")
    assert not judged(line)


def test_without_a_diagnosis_it_is_not_valid() -> None:
    """SV107 is required: billing must add one, and the judge says so."""
    line = claim_line(Told(None, LEAST))

    assert line is not None
    assert line["segments"].startswith("SV1*HC:G9603*0*UN*1~")
    assert "SV107" in judged({**line, "diagnoses": ["M54.50"]})


@pytest.mark.parametrize(
    ("before", "after", "frequency"),
    [
        (None, Channel.BOTH, "1"),
        (Channel.HOLD, Channel.CLAIM, "1"),
        (Channel.CLAIM, Channel.CLAIM, "7"),
        (Channel.CLAIM, Channel.HOLD, "8"),
        (None, Channel.HOLD, None),
        (None, Channel.REGISTRY, None),
        (Channel.REGISTRY, Channel.HOLD, None),
    ],
)
def test_the_frequency(before: Channel | None, after: Channel, frequency: str | None) -> None:
    """Only what is on a claim can be replaced there, or voided."""
    prior = by_channel(STORY[0], before) if before is not None else None
    line = claim_line(Told(prior, by_channel(STORY[1], after)))

    assert (line and line["frequency_code"]) == frequency
