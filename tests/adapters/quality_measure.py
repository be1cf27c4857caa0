"""Is a score improved where fqm-execution says so? ``make measure-check``; ARGS="--patients 1000": of so many.

The patients are Synthea's. One way their bundles go through the FHIR adapter and our decision; the other way a measure
in CQL, which says the same rules in another language, is translated by HL7's translator and executed by MITRE's
engine on the same bundles. Whoever is in the numerator must be coded, and nobody else.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import orjson

from streams.demo.synthea.generator import generate_bundles
from streams.demo.synthea.mapping import map_bundle
from streams.domain.decision import Coded, decide
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.local_kafka.java import find_java
from streams.local_kafka.maven import default_cache_dir, fetch_jars
from streams.policies.policy_loading import load_policy

FOLDER = Path(__file__).parent / "measure"
POLICY = Path(__file__).parents[2] / "streams" / "policies" / "synthea.toml"
INSTRUMENT = "nprs"
TRANSLATOR_VERSION = "2.11.0"
_TRANSLATOR = "".join(
    f"<dependency><groupId>info.cqframework</groupId><artifactId>{name}</artifactId>"
    f"<version>{TRANSLATOR_VERSION}</version></dependency>"
    for name in ("cql-to-elm", "quick", "elm-jackson", "model-jackson")
)
_POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>g9603</groupId><artifactId>cql-translator</artifactId>"
    f"<version>1</version><packaging>pom</packaging><dependencies>{_TRANSLATOR}</dependencies></project>"
)

_read = msgspec.json.Decoder(float_hook=Decimal).decode


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - it takes minutes


def improved_by_measure(bundles: list[Path], folder: Path) -> dict[str, dict[str, bool]]:
    """By patient, in which populations of the measure fqm-execution counts them."""
    jars = fetch_jars("cql-translator", _POM, cache_dir=default_cache_dir(), on_progress=tell)
    elm, names = folder / "measure.elm.json", folder / "bundles.txt"
    cql = FOLDER / "ImprovedSurveyScore.cql"
    subprocess.run([find_java(), "-cp", f"{jars}/*", str(FOLDER / "Translate.java"), str(cql), str(elm)], check=True)
    names.write_text("\n".join(map(str, bundles)))
    told = subprocess.check_output(["node", str(FOLDER / "judge.mjs"), str(elm), str(names)], text=True)
    return {patient.pop("patient_id"): patient for patient in map(json.loads, told.splitlines())}


def improved_by_us(bundle: Path) -> tuple[str, bool]:
    """The patient of a *bundle*, and whether we would code that pain has become less."""
    told = _read(bundle.read_bytes())
    patients = (e["resource"]["id"] for e in told["entry"] if e["resource"]["resourceType"] == "Patient")
    decoder = Decoder(load_registry())
    facts = [
        (decoder.decode_survey if "survey_id" in event else decoder.decode_treatment)(orjson.dumps(event)).fact
        for event in map_bundle(told)
        if event["episode_id"].endswith(f":{INSTRUMENT}")
    ]
    return next(patients), isinstance(decide(facts, load_policy(POLICY, load_registry())), Coded)


def main() -> int:
    """Compare, and say where the two differ; 0 where they do not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--seed", type=int, default=9603)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundles = generate_bundles(folder, adults=asked.patients, seed=asked.seed, on_progress=tell)
        measured = improved_by_measure(bundles, folder)
        ours = dict(map(improved_by_us, bundles))
    differing = [patient for patient, coded in ours.items() if coded != measured[patient]["numerator"]]
    counts = Counter(name for populations in measured.values() for name, is_in in populations.items() if is_in)
    told = ", ".join(f"{counts[name]} {name}" for name in ("initial-population", "denominator", "numerator"))
    tell(f"{len(bundles)} patients by fqm-execution: {told}; coded by us: {sum(ours.values())}; differing: {differing}")
    return 1 if differing or not counts["numerator"] else 0


if __name__ == "__main__":
    sys.exit(main())
