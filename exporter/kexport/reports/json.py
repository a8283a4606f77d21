"""The report as JSON, the same as `report.json` in a bundle."""

from __future__ import annotations

import json

from kexport.bundle.report import Report


def render(report: Report) -> str:
    """The report as indented JSON without a final newline."""
    return json.dumps(report.to_json(), indent=2, allow_nan=False)
