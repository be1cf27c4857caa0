"""How is a panel of Grafana written? Only what our dashboard uses (schema version 39, Grafana 10 to 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GRID_WIDTH = 24
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Kind(StrEnum):
    """Grafana's panels."""

    STAT = "stat"
    TIMESERIES = "timeseries"
    STATE_TIMELINE = "state-timeline"
    TABLE = "table"


@dataclass(frozen=True)
class Panel:
    """One question, and the queries that answer it.

    Attributes:
        title: The question, or its subject.
        kind: How the answer is shown.
        queries: PromQL, and the legend of each.
        description: What the figures are.
        unit: Grafana's word for it.
        width: Of 24.
        thresholds: From which value on it is yellow, and red.
        stacked: Whether the series add up to a whole.
    """

    title: str
    kind: Kind
    queries: Sequence[tuple[str, str]]
    description: str
    unit: str = "short"
    width: int = 8
    height: int = 8
    thresholds: tuple[float, float] | None = None
    stacked: bool = False

    def model(self, number: int, x: int, y: int) -> dict[str, object]:
        """The JSON of the panel, at its place."""
        return {
            "id": number,
            "type": self.kind.value,
            "title": self.title,
            "description": self.description,
            "datasource": _DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [self._target(index) for index in range(len(self.queries))],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
        }

    def _target(self, index: int) -> dict[str, object]:
        query, legend = self.queries[index]
        at_one_time = self.kind in (Kind.STAT, Kind.TABLE)
        return {
            "refId": chr(ord("A") + index),
            "datasource": _DATASOURCE,
            "expr": query,
            "legendFormat": legend,
            "instant": at_one_time,
            "range": not at_one_time,
            "format": "table" if self.kind is Kind.TABLE else "time_series",
        }

    def _defaults(self) -> dict[str, object]:
        defaults: dict[str, object] = {"unit": self.unit, "min": 0}
        if self.thresholds is not None:
            yellow, red = self.thresholds
            steps = [("green", None), ("yellow", yellow), ("red", red)]
            defaults["thresholds"] = {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]}
        if self.kind is Kind.TIMESERIES:
            fill, mode = (30, "normal") if self.stacked else (5, "none")
            defaults["custom"] = {
                "lineWidth": 1,
                "fillOpacity": fill,
                "stacking": {"mode": mode},
                "showPoints": "never",
            }
        return defaults

    def _options(self) -> dict[str, object]:
        match self.kind:
            case Kind.STAT:
                colored = "background" if self.thresholds else "none"
                return {"colorMode": colored, "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}}
            case Kind.TIMESERIES:
                return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
            case _:
                return {}


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[Panel]


def dashboard(uid: str, title: str, rows: Sequence[Row], variables: Sequence[dict[str, object]]) -> dict[str, object]:
    """The JSON of a dashboard: *rows* one below the other, their panels from left to right."""
    models: list[dict[str, object]] = []
    y = 0
    for row in rows:
        place = {"x": 0, "y": y, "w": GRID_WIDTH, "h": 1}
        models.append(
            {
                "id": len(models) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
        )
        x, y, height = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > GRID_WIDTH:
                x, y, height = 0, y + height, 0
            models.append(panel.model(len(models) + 1, x, y))
            x, height = x + panel.width, max(height, panel.height)
        y += height
    return {
        "uid": uid,
        "title": title,
        "schemaVersion": 39,
        "tags": ["g9603"],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(variables)},
        "annotations": {"list": []},
        "panels": models,
    }
