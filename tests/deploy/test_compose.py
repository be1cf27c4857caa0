"""docker-compose.yml: is everything there, in an order in which it can start, and shut to other machines?"""

import subprocess
from typing import Any

import pytest
import yaml

from streams.local_kafka.kafka_jars import KAFKA_VERSION
from streams.settings import PREFIX, Settings
from tests.deploy.dockerfile import ROOT, read_dockerfile
from tests.deploy.programs import program

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "g9603")
WORKERS = sorted(name for name, service in SERVICES.items() if service.get("command") == ["worker"])
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())


def test_docker_compose_understands_it() -> None:
    checked = subprocess.run(
        [program("docker-compose"), "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_what_is_there() -> None:
    """Two workers under two names: the host's name is part of a worker's place."""
    assert set(SERVICES) >= {"kafka", "topics", "prometheus", "grafana"}
    assert len(WORKERS) == 2
    assert [SERVICES[name]["hostname"] for name in WORKERS] == WORKERS


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_waited_for_can_come_true(name: str) -> None:
    """Healthy only where there is a health check, completed only where there is an end; and in no circle."""
    image_has_a_check = bool(read_dockerfile()[1][-1].values("HEALTHCHECK"))
    for other, awaited in SERVICES[name].get("depends_on", {}).items():
        service = SERVICES[other]
        assert name not in service.get("depends_on", {})
        if awaited["condition"] == "service_healthy":
            assert "healthcheck" in service or (service["image"] == "g9603" and image_has_a_check)
            assert not service.get("healthcheck", {}).get("disable")
        else:
            assert awaited["condition"] == "service_completed_successfully"
            assert "restart" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_open_to_other_machines(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"kafka"}))
def test_nobody_may_more_than_needed(name: str) -> None:
    """Kafka's image writes to its own folders when it starts."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_ones_that_the_worker_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SERVICES[name]["environment"].items():
        assert variable.removeprefix(PREFIX).lower() in Settings.model_fields
        monkeypatch.setenv(variable, value)

    assert Settings().bootstrap_servers in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_the_kafka_is_the_one_that_is_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_prometheus_asks_the_workers_by_what_they_offer() -> None:
    """Their names, their port, TLS, and the certificate that it may read."""
    (scraped,) = PROMETHEUS["scrape_configs"]
    port = Settings.model_fields["web_port"].default
    certificate = SERVICES[WORKERS[0]]["environment"]["G9603_WEB_TLS_CERTIFICATE_FILE"]
    names = next(word for word in SERVICES["certificate"]["command"][0].split() if "subjectAltName" in word)

    assert scraped["static_configs"] == [{"targets": [f"{name}:{port}" for name in WORKERS]}]
    assert all(f"DNS:{name}" in names for name in WORKERS)
    assert scraped["tls_config"]["ca_file"] == certificate
    assert "certificate:/run/g9603:ro" in SERVICES["prometheus"]["volumes"]
    assert SERVICES["prometheus"]["user"] == read_dockerfile()[1][-1].values("USER")[0]


def test_grafana_shows_the_dashboard_to_who_comes() -> None:
    """From the Prometheus that is here, and without a login; nobody may change anything."""
    grafana, folder = SERVICES["grafana"], ROOT / "deploy" / "grafana"
    environment = grafana["environment"]
    (source,) = yaml.safe_load((folder / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "provisioning/dashboards/g9603.yml").read_text())["providers"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in grafana["volumes"])
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert source["url"] == "http://prometheus:9090"
    assert (environment["GF_AUTH_ANONYMOUS_ENABLED"], environment["GF_AUTH_ANONYMOUS_ORG_ROLE"]) == ("true", "Viewer")
    assert (ROOT / mounts[provider["options"]["path"]] / home.rpartition("/")[2]).exists()
    assert (ROOT / mounts["/etc/grafana/provisioning"]).is_dir()


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for source, *_ in (volume.split(":") for volume in SERVICES[name].get("volumes", [])):
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
