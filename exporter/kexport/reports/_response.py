"""Pictures of what low-pass filters do in every runtime, and of what they promise."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, Report
from kexport.contracts import kinds
from kexport.errors import MissingExtraError, UsageError

KIND = "low_pass"
_FLOOR = -120.0  # dB: what lies below is rounding


def prepare(folder: Path) -> None:
    """Make the folder, and find out whether something can be drawn, before the work begins.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: the folder cannot be written.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("plots need matplotlib, which is not installed", hint="pip install 'kexport[plots]'")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".kexport"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(f"{folder} cannot be written", got=error.strerror or error) from None


def draw(report: Report, bundle: Bundle, folder: Path) -> list[Path]:
    """One picture for each low-pass promise of an output, all runtimes in it; returns their paths."""
    drawn = []
    promises = [each for each in bundle.manifest.contracts if each.kind == KIND]
    for number, promised in enumerate(promises, start=1):
        rows = _measured(report, promised)
        if not rows:
            continue
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{report.bundle}-{promised.outputs[0]}")
        path = folder / (f"{name}.png" if number == 1 else f"{name}-{number}.png")
        _picture(path, f"{report.bundle}: {promised.outputs[0]}", dict(promised.params), rows)
        drawn.append(path)
    return drawn


def _measured(report: Report, promised: ContractEntry) -> list[Check]:
    """The checks of one promise that found a response."""
    try:
        text = kinds.text(kinds.contract_of(promised))
    except UsageError:
        return []  # the report says so of every runtime
    return [
        check
        for check in report.checks
        if (check.output, check.contract) == (promised.outputs[0], text) and check.metrics.get("frequencies_hz")
    ]


def _picture(path: Path, title: str, params: dict[str, Any], rows: Sequence[Check]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    rate = float(params.get("sample_rate", 1.0))
    low, high, ripple, attenuation = (
        float(params[name]) for name in ("pass_band", "stop_band", "ripple", "attenuation")
    )
    top = max(6.0, 2 * ripple)
    bottom = max(_FLOOR, min(-attenuation - 40, -60.0))
    styles: Sequence[Any] = ("-", "--", "-.", ":", (0, (1, 3)))
    for index, check in enumerate(rows):
        style = styles[index % len(styles)]
        hertz, gains = check.metrics["frequencies_hz"], check.metrics["response_db"]
        axes.plot(hertz, gains, linestyle=style, linewidth=1.4, label=check.runtime)
    shade: dict[str, Any] = {"color": "#c0392b", "alpha": 0.15, "linewidth": 0}
    axes.fill_between([high, rate / 2], -attenuation, top, **shade, label="not allowed")
    axes.fill_between([0, low], bottom, -ripple, **shade)
    axes.fill_between([0, low], ripple, top, **shade)
    unit = "Hz" if rate != 1.0 else "cycles a sample"
    axes.set(xlabel=f"frequency ({unit})", ylabel="gain (dB)", xlim=(0, rate / 2), ylim=(bottom, top), title=title)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path, dpi=150)
