"""Renderings of a report, one file each; what they share is here: names for checks, figures, sizes, and a summary.

A rendering is a function `render(report)` that returns text, or `show(report, bundle, stream)` that prints it.
"""

from typing import TYPE_CHECKING

from kexport.reports._adequacy import adequacy_lines
from kexport.reports._budgets import budget_rows
from kexport.reports._kernels import STEPS_LEGEND, kernel_steps
from kexport.reports._metrics import metric_legend, metric_rows
from kexport.reports._phrases import (
    NOTHING_COMPARED,
    fact_lines,
    figure_and_limit,
    figures,
    number,
    place,
    short_contract,
    size,
    summary,
    verdict,
)

if TYPE_CHECKING:
    from kexport.reports._layers import finite
    from kexport.reports._layers import render as layers_table
    from kexport.reports._layers import render_artifact as artifact_layers_table
    from kexport.reports._layers import render_json as layers_json
    from kexport.reports._response import draw as draw_responses
    from kexport.reports._response import prepare as prepare_plots

__all__ = [
    "NOTHING_COMPARED",
    "STEPS_LEGEND",
    "adequacy_lines",
    "artifact_layers_table",
    "budget_rows",
    "draw_responses",
    "fact_lines",
    "figure_and_limit",
    "figures",
    "finite",
    "kernel_steps",
    "layers_json",
    "layers_table",
    "metric_legend",
    "metric_rows",
    "number",
    "place",
    "prepare_plots",
    "short_contract",
    "size",
    "summary",
    "verdict",
]

# Imported when first used: a rendering needs neither.
_LAZY = {
    "artifact_layers_table": ("_layers", "render_artifact"),
    "draw_responses": ("_response", "draw"),
    "finite": ("_layers", "finite"),
    "layers_json": ("_layers", "render_json"),
    "layers_table": ("_layers", "render"),
    "prepare_plots": ("_response", "prepare"),
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'kexport.reports' has no attribute {name!r}")
    import importlib

    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(f"kexport.reports.{module}"), attribute)
