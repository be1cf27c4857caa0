"""Is anything that the lock names known to be vulnerable? ``make audit``, part of ``make check``.

pip-audit asks an advisory service. Where there is none (a mirror of packages has no advisories, and pip-audit then
says "No known vulnerabilities found"), this says so plainly: *not checked* is not *nothing found*. A service is
believed only if it knows of a package that certainly is vulnerable.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
LOCKS = [ROOT / "requirements" / name for name in ("development.lock", "peers.lock")]
"""All that is installed anywhere: the first holds the lock of the runtime, too, the second the peers of the bench."""
KNOWN_TO_BE_VULNERABLE = "aiohttp==3.8.0"
"""Since 2023: CVE-2023-37276, CVE-2023-47627 and more. What does not know that is no advisory service."""
_SERVICES = ("pypi", "osv")
_ANSWER_SECONDS_MAX = 5
_AUDIT_SECONDS_MAX = 300


class Audit(NamedTuple):
    """What a service said."""

    findings: Sequence[str]
    """A sentence each."""
    checked: int
    unknown: Sequence[str]
    """Packages that the service could not tell of."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit the lock; 1 for findings, or for no answer where one is required."""
    parser = argparse.ArgumentParser(prog="make audit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--lock", type=Path, action="append", help="what to audit (default: all that is installed anywhere)"
    )
    parser.add_argument("--required", action="store_true", help="fail where no service answers")
    parser.add_argument("--osv-url", help="ask this service of OSV's kind, and no other")
    told = parser.parse_args(arguments)
    services: list[tuple[str, ...]] = [("-s", name) for name in _SERVICES]
    if told.osv_url:
        services = [("-s", "osv", "--osv-url", told.osv_url)]
    for service in services:
        if _is_believable(service):
            return max(_report(audit(lock, service), service[1]) for lock in told.lock or LOCKS)
    asked = ", ".join(service[1] for service in services)
    sys.stdout.write(
        f"audit: NOT CHECKED: no advisory service ({asked}) can be reached from here, or none that knows of "
        f"{KNOWN_TO_BE_VULNERABLE}. Run make audit where one can.\n"
    )
    return int(told.required)


def audit(lock: Path, service: Sequence[str]) -> Audit | None:
    """What *service* says of the packages of *lock*; None where it does not answer."""
    pins = re.findall(r"^[A-Za-z0-9][A-Za-z0-9._-]*==[^ \\;\n]+", lock.read_text(), flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        # Without hashes and markers: whatever the lock names is asked for, on whatever machine.
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("\n".join(pins))
        command = [
            *(sys.executable, "-m", "pip_audit", *service, "--format", "json", "--progress-spinner", "off"),
            *("--timeout", str(_ANSWER_SECONDS_MAX), "--no-deps", "--disable-pip", "--requirement", str(requirements)),
        ]
        try:
            ran = subprocess.run(command, capture_output=True, check=False, timeout=_AUDIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None
    try:
        return _read(json.loads(ran.stdout))
    except ValueError:  # no JSON: it ended with an error
        return None


def _read(told: dict[str, Any]) -> Audit:
    findings, unknown = [], []
    for package in told["dependencies"]:
        if "skip_reason" in package:
            unknown.append(package["name"])
        for advisory in package.get("vulns", ()):
            mended = ", ".join(advisory["fix_versions"]) or "no version yet"
            findings.append(f"{package['name']} {package['version']}: {advisory['id']}; mended in {mended}")
    return Audit(findings, len(told["dependencies"]) - len(unknown), unknown)


def _is_believable(service: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "known"
        lock.write_text(KNOWN_TO_BE_VULNERABLE)
        audited = audit(lock, service)
    return audited is not None and bool(audited.findings)


def _report(audited: Audit | None, service: str) -> int:
    if audited is None:
        sys.stdout.write(f"audit: NOT CHECKED: {service} stopped answering. Run make audit again.\n")
        return 1
    for finding in audited.findings:
        sys.stdout.write(f"audit: {finding}\n")
    unknown = f"; not known to it: {', '.join(audited.unknown)}" if audited.unknown else ""
    sys.stdout.write(f"audit: {len(audited.findings)} findings in {audited.checked} packages, by {service}{unknown}\n")
    return int(bool(audited.findings))


if __name__ == "__main__":
    sys.exit(main())
