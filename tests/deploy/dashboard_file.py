"""What does Grafana show? ``python -m tests.deploy.dashboard_file`` writes deploy/grafana/dashboards/g9603.json.

The dashboard is made from the catalogue, so that no panel can ask for what no worker tells; descriptions are the
catalogue's own. `test_prometheus` holds the file against this.
"""

import json
from pathlib import Path

from streams.metrics import catalogue as metrics
from tests.deploy.dashboard_flow import BEHIND, FLOW
from tests.deploy.dashboard_workers import CODES, STATE, WORKERS
from tests.deploy.grafana_panels import dashboard

DASHBOARD_FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards" / "g9603.json"
_VARIABLES: list[dict[str, object]] = [
    {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
    {
        "name": "job",
        "type": "query",
        "label": "group",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": f"label_values({metrics.BUILD_INFO.name}, job)", "refId": "jobs"},
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    },
]


def dashboard_document() -> str:
    """The dashboard, in JSON."""
    rows = [BEHIND, FLOW, CODES, WORKERS, STATE]
    return json.dumps(dashboard("g9603", "G9603 streaming coder", rows, _VARIABLES), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD_FILE.write_text(dashboard_document())
