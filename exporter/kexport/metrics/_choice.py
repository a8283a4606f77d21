"""Which metric a user means: a name, a function in a file, or a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kexport import registry
from kexport.errors import UsageError
from kexport.metrics._metric import Metric
from kexport.metrics._own import from_file, own

_FOLDER = "metrics"


def names() -> list[str]:
    """The names of the metrics."""
    return registry.names(_FOLDER)


def get(name: str) -> Metric[Any]:
    """The metric of that name.

    Raises:
        UsageError: there is none.
    """
    return registry.get(_FOLDER, name, Metric, "METRIC")


def choose(metric: str | Callable[..., Any]) -> tuple[Metric[Any], str | None]:
    """The metric that a user means, and the output that it is about, None for the only one.

    Args:
        metric: a name, `FILE.py:callable`, or either behind `OUTPUT=`; or a function of labels and outputs.

    Raises:
        UsageError: there is no such metric, file or function.
    """
    if callable(metric):
        return own(metric), None
    output, equals, name = metric.partition("=") if "=" in metric.partition(":")[0] else ("", "", metric)
    if equals and not (output.strip() and name.strip()):
        raise UsageError(f"unreadable metric {metric!r}", expected="METRIC, or OUTPUT=METRIC")
    name = name.strip()
    return (from_file(name) if ":" in name else get(name)), output.strip() or None
