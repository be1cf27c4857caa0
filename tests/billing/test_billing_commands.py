"""What `g9603 billing` says where it cannot work."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.application import cli

NOBODY = "127.0.0.1:1"


def test_no_database_is_named() -> None:
    """It says which there are."""
    told = CliRunner().invoke(cli, ["billing", "sink"])

    assert told.exit_code == 78
    assert "sqlite:///FILE or postgresql://USER@HOST/NAME" in " ".join(told.stderr.split())


def test_without_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed as a worker is, it says what to install."""
    for name in [name for name in sys.modules if name.startswith("streams.billing.engine")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy.exc", None)

    told = CliRunner().invoke(cli, ["billing", "sink"])

    assert told.exit_code == 78
    assert "pip install 'g9603[billing]'" in " ".join(told.stderr.split())


def test_no_broker(tmp_path: Path) -> None:
    """The database is there, Kafka is not."""
    environment = {
        "G9603_BILLING_DATABASE": f"sqlite:///{tmp_path / 'billing.sqlite'}",
        "G9603_BOOTSTRAP_SERVERS": NOBODY,
    }

    assert CliRunner().invoke(cli, ["billing", "sink", "--once"], env=environment).exit_code == 69


def test_no_such_server(tmp_path: Path) -> None:
    """A database that does not answer is for a supervisor; its password is not told."""
    environment = {"G9603_BILLING_DATABASE": f"postgresql://billing:hush@/billing?host={tmp_path}"}

    told = CliRunner().invoke(cli, ["billing", "sink"], env=environment)

    assert told.exit_code == 70
    assert "The billing database does not take it (OperationalError)" in " ".join(told.stderr.split())
    assert "hush" not in told.output
