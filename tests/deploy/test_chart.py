"""The Helm chart: what Helm makes of it, held against Kubernetes' schemas and against the code."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bench.plan import VARIANT_EVENTS_MAX
from streams.processing.access import Role
from streams.processing.topology import Topology
from streams.settings import PREFIX, Settings
from streams.web.pages import ROUTES
from streams.worker.tuning import Tuning
from tests.deploy.dockerfile import ROOT, read_dockerfile
from tests.deploy.programs import program
from tests.deploy.rendered_chart import CHART, VALUES, Resource, of_kind, render, resources
from tests.deploy.topology_file import TOPOLOGY_FILE, strimzi_acls, topology_document

_KUBERNETES_SCHEMAS = "1.30"
"""The newest that kubectl-validate carries."""
_KUBERNETES_OWN = re.compile(r"^(v1|apps/v1|policy/v1|networking\.k8s\.io/v1)$")
_TOPOLOGY = Topology("Coder_2", "clinic.")
"""By the application's id and the prefix in everything-values.yaml."""


@pytest.fixture(scope="module", params=VALUES)
def rendered(request: pytest.FixtureRequest) -> list[Resource]:
    """What Helm makes of each set of values."""
    return _rendered(VALUES[request.param])


@pytest.fixture(scope="module")
def everything() -> list[Resource]:
    """What Helm makes where everything is switched on."""
    return _rendered(VALUES["everything"])


def _rendered(values: Path) -> list[Resource]:
    done = render(values)
    assert done.returncode == 0, done.stderr
    return resources(done.stdout)


def _pod(rendered: list[Resource]) -> Resource:
    (workers,) = of_kind(rendered, "StatefulSet")
    spec: Resource = workers["spec"]["template"]["spec"]
    return spec


def _environment(rendered: list[Resource]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in _pod(rendered)["containers"][0]["env"]}


@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_no_fault(values: str) -> None:
    command = [program("helm"), "lint", "--strict", "--values", str(VALUES[values]), str(CHART)]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


def test_kubernetes_knows_every_field(rendered: list[Resource], tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """By its own schemas; and custom resources by the definitions that ``--crds`` names, where it is given."""
    folder = pytestconfig.getoption("--crds")
    judged = [r for r in rendered if folder or _KUBERNETES_OWN.match(r["apiVersion"])]
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump_all(judged))
    definitions = ["--local-crds", folder] if folder else []
    command = [program("kubectl-validate"), "--version", _KUBERNETES_SCHEMAS, *definitions, str(manifest)]
    validated = subprocess.run(command, capture_output=True, text=True, check=False)

    assert judged
    assert validated.returncode == 0, validated.stderr


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["kafka.bootstrapServers="], "say where Kafka is"),
        (["secrets.webToken.name="], "name the Secret with the token of the pages"),
        (["replicas=5", "partitions=4"], "more workers than partitions would be idle"),
        (["autoscaling.enabled=true", "autoscaling.minReplicas=5", "partitions=4"], "would be idle"),
        (["strimzi.enabled=true"], "name the Kafka resource"),
        (["kafka.securityProtocol=SASL_SSL"], "name the Secret with the password"),
        (["strimzi.enabled=true", "strimzi.cluster=main", "strimzi.users={nobody}"], "there is no role nobody"),
        (["kafka.bootstrapServer=kafka:9092"], "not allowed"),
        (["settings.G9603_SASL_PASSWORD=open"], "G9603_SASL_PASSWORD"),
        (["terminationGracePeriodSeconds=30"], "45"),
    ],
)
def test_what_cannot_work_is_refused(settings: list[str], sentence: str) -> None:
    """Before anything is installed, with a sentence; also a misspelt value, and a secret that is given openly."""
    refused = render(VALUES["least"], *settings)

    assert refused.returncode != 0
    assert sentence in refused.stderr


def test_every_value_is_checked() -> None:
    """values.yaml and its schema have the same keys."""

    def of_values(value: object, path: str = "") -> set[str]:
        if not isinstance(value, dict) or not value:
            return {path}
        return set().union(*(of_values(child, f"{path}.{key}") for key, child in value.items()))

    def of_schema(schema: Resource, path: str = "") -> set[str]:
        properties = (document["$defs"]["secretKey"] if "$ref" in schema else schema).get("properties")
        if not properties:
            return {path}
        return set().union(*(of_schema(child, f"{path}.{key}") for key, child in properties.items()))

    document = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    checked = {path.removesuffix(".grafana_dashboard") for path in of_values(values)} | {".global"}

    assert of_schema(document) == {re.sub(r"^(\.resources)\..*", r"\1", path) for path in checked}


def test_the_settings_are_ones_that_the_worker_takes(rendered: list[Resource], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name is known, and together they are no contradiction."""
    for name, value in _environment(rendered).items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields
        monkeypatch.setenv(name, value)

    Settings()


def test_each_secret_is_where_its_setting_says(rendered: list[Resource]) -> None:
    """And nobody but the worker's account and group may read it, else the worker refuses it."""
    pod = _pod(rendered)
    (volume,) = [v["projected"] for v in pod["volumes"] if "projected" in v]
    (folder,) = [m["mountPath"] for m in pod["containers"][0]["volumeMounts"] if m["name"] == "secrets"]
    files = {f"{folder}/{item['path']}" for source in volume["sources"] for item in source["secret"]["items"]}
    named = {value for value in _environment(rendered).values() if value.startswith(folder)}

    assert named == files
    assert volume["defaultMode"] == 0o440
    assert not of_kind(rendered, "Secret")


def test_a_worker_has_time_to_end_and_to_be_slow(rendered: list[Resource]) -> None:
    """The kubelet is more patient than the worker is with itself."""
    pod, tuning = _pod(rendered), Tuning()
    alive = pod["containers"][0]["livenessProbe"]

    assert pod["terminationGracePeriodSeconds"] > tuning.stop_seconds_max > tuning.transaction_timeout_seconds
    assert alive["periodSeconds"] * alive["failureThreshold"] > tuning.loop_stall_seconds


def test_the_probes_need_no_token(rendered: list[Resource]) -> None:
    container = _pod(rendered)["containers"][0]
    paths = [container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe", "startupProbe")]

    assert paths == ["/healthz", "/readyz", "/healthz"]
    assert all(ROUTES[path].is_public for path in paths)


def test_the_pod_is_as_the_image_is(rendered: list[Resource]) -> None:
    """Same account, same folder for local state, same command; and as few rights as can be."""
    pod = _pod(rendered)
    container = pod["containers"][0]
    image = read_dockerfile()[1][-1]
    uid, gid = image.values("USER")[0].split(":")

    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(uid), int(gid))
    assert image.values("VOLUME")[0] in [mount["mountPath"] for mount in container["volumeMounts"]]
    assert container["args"] == image.command("CMD")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


def test_the_memory_is_what_was_measured(rendered: list[Resource]) -> None:
    """The peak of any run of one worker on up to 100,000 episodes fits into what is asked for (bench/README.md)."""
    figures = (ROOT / "bench" / "README.md").read_text().split("| per million events |")[1].split("\n\n")[0]
    rows = [line.split("|") for line in figures.splitlines() if line.startswith("| this-worker |")]
    peaks = [int(row[5]) for row in rows if int("".join(filter(str.isdigit, row[2])) or 0) <= VARIANT_EVENTS_MAX]
    resources_asked = _pod(rendered)["containers"][0]["resources"]

    assert len(peaks) >= 2
    assert max(peaks) <= int(resources_asked["requests"]["memory"].removesuffix("Mi"))
    assert "cpu" not in resources_asked["limits"]


def test_everything_that_selects_pods_selects_these(everything: list[Resource]) -> None:
    (workers,) = of_kind(everything, "StatefulSet")
    labels = workers["spec"]["template"]["metadata"]["labels"]
    (service,) = of_kind(everything, "Service")
    selectors = [service["spec"]["selector"], workers["spec"]["selector"]["matchLabels"]]
    selectors += [
        of_kind(everything, kind)[0]["spec"]["selector"]["matchLabels"]
        for kind in ("PodDisruptionBudget", "PodMonitor")
    ]
    selectors.append(of_kind(everything, "NetworkPolicy")[0]["spec"]["podSelector"]["matchLabels"])

    assert workers["spec"]["serviceName"] == service["metadata"]["name"]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


def test_keda_scales_these_workers_by_their_group(everything: list[Resource]) -> None:
    """Up to one worker a partition; and nothing else sets their number."""
    (workers,), (scaled,) = of_kind(everything, "StatefulSet"), of_kind(everything, "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    (topic, *_) = of_kind(everything, "KafkaTopic")

    assert scaled["spec"]["scaleTargetRef"] == {"kind": "StatefulSet", "name": workers["metadata"]["name"]}
    assert "replicas" not in workers["spec"]
    assert scaled["spec"]["maxReplicaCount"] == topic["spec"]["partitions"]
    assert trigger["metadata"]["consumerGroup"] == _environment(everything)["G9603_APP_ID"]
    assert trigger["authenticationRef"]["name"] == of_kind(everything, "TriggerAuthentication")[0]["metadata"]["name"]


def test_prometheus_asks_with_the_token(everything: list[Resource]) -> None:
    """At the port that the pod has, by TLS where the pages have a certificate."""
    (endpoint,) = of_kind(everything, "PodMonitor")[0]["spec"]["podMetricsEndpoints"]

    assert endpoint["port"] in [port["name"] for port in _pod(everything)["containers"][0]["ports"]]
    assert endpoint["authorization"]["credentials"]["name"] == "g9603-web"
    assert endpoint["scheme"] == "https"


def test_rules_and_dashboard_are_those_of_deploy(everything: list[Resource]) -> None:
    """One file each, for compose and for Kubernetes."""
    rules = [yaml.safe_load(path.read_text()) for path in (ROOT / "deploy/prometheus/rules").glob("*.yml")]
    (shown,) = of_kind(everything, "ConfigMap")
    dashboards = {path.name: path.read_text() for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")}

    assert sorted(map(str, rules)) == sorted(str(rule["spec"]) for rule in of_kind(everything, "PrometheusRule"))
    assert {name: json.loads(text) for name, text in shown["data"].items()} == {
        name: json.loads(text) for name, text in dashboards.items()
    }


def test_the_chart_knows_what_the_code_knows() -> None:
    """If this fails: `python -m tests.deploy.topology_file`."""
    assert TOPOLOGY_FILE.read_text() == topology_document()


def test_strimzi_makes_the_topics_of_the_application(everything: list[Resource]) -> None:
    """As `g9603 topics` would, under their own names; Kubernetes has a say only in the resources' names."""
    made = {topic["spec"]["topicName"]: topic for topic in of_kind(everything, "KafkaTopic")}

    assert set(made) == {specification.name for specification in _TOPOLOGY.specifications}
    for specification in _TOPOLOGY.specifications:
        topic = made[specification.name]
        config = {key: str(value) for key, value in topic["spec"]["config"].items()}
        assert config == {**specification.config, "min.insync.replicas": "2"}
        assert topic["spec"]["partitions"] == (specification.partition_count or 24)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", topic["metadata"]["name"])
        assert topic["metadata"]["labels"]["strimzi.io/cluster"] == "main"


@pytest.mark.parametrize("role", Role)
def test_strimzi_gives_the_rights_of_the_role_and_no_more(role: Role) -> None:
    """As `g9603 topics --acls` lists them."""
    done = render(VALUES["everything"], f"strimzi.users={{{role.value}}}")
    (user,) = of_kind(resources(done.stdout), "KafkaUser")

    assert user["spec"]["authorization"]["acls"] == strimzi_acls(role, _TOPOLOGY)
    assert user["metadata"]["name"] == f"coder-2-{role.value}"
