"""Plots of the frequency responses of low-pass filters in every runtime, against the limits of their contracts."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, Report
from kexport.contracts import LowPass, kinds
from kexport.errors import MissingExtraError, UsageError

KIND = "low_pass"
_FLOOR = -120.0  # dB; anything below is rounding


def prepare(folder: Path) -> None:
    """Create the folder and check that plots can be drawn, before any work begins.

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
    """Draw each low-pass contract of an output, with the response in every runtime; returns the paths of the plots."""
    drawn = []
    entries = [entry for entry in bundle.manifest.contracts if entry.kind == KIND]
    for number, entry in enumerate(entries, start=1):
        contract = _low_pass(entry)
        rows = [] if contract is None else _measured(report, entry, contract)
        if contract is None or not rows:
            continue
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{report.bundle}-{entry.outputs[0]}")
        path = folder / (f"{name}.png" if number == 1 else f"{name}-{number}.png")
        _plot(path, f"{report.bundle}: {entry.outputs[0]}", contract, rows)
        drawn.append(path)
    return drawn


def _low_pass(entry: ContractEntry) -> LowPass | None:
    """The contract of an entry; None if its parameters are refused, which the report states for every runtime."""
    try:
        contract = kinds.contract_of(entry)
    except UsageError:
        return None
    return contract if isinstance(contract, LowPass) else None


def _measured(report: Report, entry: ContractEntry, contract: LowPass) -> list[Check]:
    """The checks of a contract that measured a response."""
    text = kinds.text(contract)
    return [
        check
        for check in report.checks
        if (check.output, check.contract) == (entry.outputs[0], text) and check.metrics.get("frequencies_hz")
    ]


def _plot(path: Path, title: str, contract: LowPass, rows: Sequence[Check]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    passing, stop, nyquist = contract.pass_band, contract.stop_band, contract.sample_rate / 2
    ripple, attenuation = contract.ripple, contract.attenuation
    top = max(6.0, 2 * ripple)
    bottom = max(_FLOOR, min(-attenuation - 40, -60.0))
    styles = ("-", "--", "-.", ":", (0, (1, 3)))
    for index, check in enumerate(rows):
        style = styles[index % len(styles)]
        hertz, gains = check.metrics["frequencies_hz"], check.metrics["response_db"]
        axes.plot(hertz, gains, linestyle=style, linewidth=1.4, label=check.runtime)

    def shade(left: float, right: float, low: float, high: float, label: str | None = None) -> None:
        axes.fill_between([left, right], low, high, color="#c0392b", alpha=0.15, linewidth=0, label=label)

    shade(stop, nyquist, -attenuation, top, "not allowed")
    shade(0, passing, bottom, -ripple)
    shade(0, passing, ripple, top)
    unit = "Hz" if contract.sample_rate != 1.0 else "cycles a sample"
    axes.set(xlabel=f"frequency ({unit})", ylabel="gain (dB)", xlim=(0, nyquist), ylim=(bottom, top), title=title)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path, dpi=150)
