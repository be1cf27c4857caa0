"""What is a worker made of? ``make sbom`` writes it as CycloneDX, from the lock; part of ``make check``."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "runtime.lock"
BILL = ROOT / "build" / "sbom.cdx.json"
_FORMAT = "1.6"


def main() -> int:
    """Write the bill and hold it against the schema and the lock; 1 where it is not all of it."""
    BILL.parent.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-W", "ignore::UserWarning", "-m", "cyclonedx_py", "requirements", str(LOCK)),
        *("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--validate"),
        *("--spec-version", _FORMAT, "--output-format", "JSON", "--output-file", str(BILL)),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.stdout.write(f"sbom: {ran.stderr}\n")
        return 1
    missing = missing_from_bill(LOCK.read_text(), BILL.read_text())
    if missing:
        sys.stdout.write(f"sbom: without {', '.join(missing)}\n")
        return 1
    count = len(json.loads(BILL.read_text())["components"])
    sys.stdout.write(f"sbom: {BILL.relative_to(ROOT)}, CycloneDX {_FORMAT}, {count} components with hashes\n")
    return 0


def missing_from_bill(lock: str, bill: str) -> list[str]:
    """What *lock* pins and *bill* does not list with that version and each of its hashes."""
    listed = {
        f"{component['name']}=={component.get('version')}": {
            told["content"] for reference in component["externalReferences"] for told in reference.get("hashes", ())
        }
        for component in json.loads(bill)["components"]
    }
    pinned = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return [
        entry.split()[0]
        for entry in pinned
        if "==" in entry.split("\n")[0]
        and not set(re.findall(r"sha256:([0-9a-f]{64})", entry)) <= listed.get(entry.split()[0], set())
    ]


if __name__ == "__main__":
    sys.exit(main())
