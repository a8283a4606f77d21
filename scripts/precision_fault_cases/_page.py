"""The page of faults of small precisions: what docs/precision_faults.json holds, for readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
_WAYS = {"build": "weights", "goldens": "goldens", "kernels": "kernels", "search": "search"}
_PROSE = """# Faults of small precisions

What kexport finds of faults that are planted in artifacts of float16, dynamic, int8 and int16x8.
`python scripts/benchmark_precision_faults.py --write` makes this page and
[precision_faults.json](precision_faults.json); models and faults are in `scripts/precision_fault_cases`, one file a
family. [faults.md](faults.md) is about float32.

A fault is planted by changing the file: its scales, zero points, integers, ranges, operators. The manifest then has the
digest of the faulty file; its goldens, limits and records are those of the healthy one. **Effect**: the least ratio of
signal to noise on the goldens, before and after, in dB; a dash where nothing finite was computed. A budget asks for
19.8 dB of 8 bits and for 37.9 dB of float16, so that a fault may be far within it.

- **weights**: what a build refuses as soon as a converter has written it: a constant that is like that of the float32
  file, and further from it than one step. It sees what went wrong in the conversion.
- **goldens**: `kexport verify` of the faulty artifact in the runtimes of a device, without a search: parity, structure,
  promises, and whether a runtime loads it.
- **kernels**: of these, whether the integers are those that the same kernels gave at the build: exactly those in
  LiteRT's reference kernels, in others to one step more than any two were apart. It sees what changed after the build.
  A dash: nothing is recorded of artifacts that are not of integers, nor compared where nothing was computed.
- **search**: `kexport verify --search 3s`, where the goldens find nothing.
"""


def page(table: Record) -> str:
    """The page as Markdown."""
    faults: Mapping[str, Record] = table.get("faults", {})
    versions = ", ".join(f"{name} {version}" for name, version in table.get("versions", {}).items())
    parts = [_PROSE, f"Measured with {versions}.\n", "## Figures\n", *_figures(faults)]
    parts += ["\n## By kind\n", *_by_kind(faults), "\n## Every fault\n", *_every(faults)]
    parts += ["\n## Healthy artifacts\n", *_healthy(table.get("healthy", {}))]
    return "\n".join(parts) + "\n"


def found(fault: Record) -> bool:
    """Whether the build or a verification finds a fault."""
    return any(fault[way]["found"] for way in _WAYS)


def bad(table: Record) -> Iterator[str]:
    """What must not be, a line each."""
    for name, fault in table.get("faults", {}).items():
        if "broken" in fault:
            yield f"{name} is not planted: {fault['broken']}"
        elif not found(fault):
            yield f"{name} is missed: {fault['healthy_db']} dB became {fault['faulty_db']} dB"
    for name, record in table.get("healthy", {}).items():
        yield from (f"healthy {name}: {told}" for told in (*record["alarms"], *record["not_run"]))


def within_budget(fault: Record) -> bool:
    """Whether a fault leaves the ratio that the budget asks for."""
    return fault["faulty_db"] is not None and fault["faulty_db"] >= fault["budget_db"]


def _figures(faults: Mapping[str, Record]) -> Iterator[str]:
    every = list(faults.values())
    kinds, models = ({fault[key] for fault in every} for key in ("kind", "model"))
    precisions = sorted({fault["artifact"] for fault in every})
    yield f"{len(every)} faults of {len(kinds)} kinds in {len(models)} models, in {', '.join(precisions)}.\n"
    within = [fault for fault in every if within_budget(fault)]
    beyond = [fault for fault in every if not within_budget(fault)]
    yield _line("found by", "all", "beyond the budget", "within the budget")
    yield _line("---", "---", "---", "---")
    yield _line("any of these", *(_percent(sum(map(found, group)), len(group)) for group in (every, beyond, within)))
    for way, title in _WAYS.items():
        yield _line(
            title, *(_percent(sum(f[way]["found"] for f in group), len(group)) for group in (every, beyond, within))
        )
    missed = [f"`{name}`" for name, fault in faults.items() if not found(fault)]
    yield f"\nMissed: {', '.join(missed) or 'nothing'}."


def _by_kind(faults: Mapping[str, Record]) -> Iterator[str]:
    kinds: dict[str, list[Record]] = defaultdict(list)
    for fault in faults.values():
        kinds[fault["kind"]].append(fault)
    yield _line("kind", "faults", "found", *_WAYS.values())
    yield _line("---", "---:", "---", *["---"] * len(_WAYS))
    for kind, own in sorted(kinds.items()):
        yield _line(
            kind, str(len(own)), _count(own, found), *(_count(own, lambda f, w=w: f[w]["found"]) for w in _WAYS)
        )


def _count(faults: Sequence[Record], test: Any) -> str:
    number = sum(bool(test(fault)) for fault in faults)
    return "all" if number == len(faults) else f"{number} of {len(faults)}"


def _every(faults: Mapping[str, Record]) -> Iterator[str]:
    yield _line("fault", "healthy, dB", "faulty, dB", "weights", "goldens, by", "kernels, LSB", "search")
    yield _line("---", "---:", "---:", "---", "---", "---", "---")
    for name, fault in sorted(faults.items()):
        goldens, kernels = fault["goldens"], fault["kernels"]
        yield _line(
            name,
            *(_decibels(fault[key]) for key in ("healthy_db", "faulty_db")),
            "found" if fault["build"]["found"] else "-",
            ", ".join(goldens["by"]) if goldens["found"] else "missed",
            "-" if not kernels["recorded"] else f"{'found' if kernels['found'] else 'missed'}, {kernels['lsb']}",
            "-" if goldens["found"] else "found" if fault["search"]["found"] else "missed",
        )


def _healthy(records: Mapping[str, Record]) -> Iterator[str]:
    if not records:
        yield "Not run."
        return
    artifacts = sum(record["artifacts"] for record in records.values())
    searched = sum(record["searched"] for record in records.values())
    alarms = [f"{name}: {told}" for name, record in records.items() for told in record["alarms"]]
    models = {name.partition(",")[0] for name in records}
    ratios = [record["least_db"] for record in records.values() if record.get("least_db") is not None]
    yield (
        f"{len(models)} models, {len(records)} draws of their weights, calibrated on their whole domain (`--calibration"
        f" domain`): {artifacts} artifacts in small precisions, {searched} comparisons in a search of 1 s per bundle."
        f" {len(alarms)} were called faulty. The least ratio was {min(ratios):.1f} dB."
    )
    yield from (f"- {told}" for told in alarms)


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} % ({count} of {total})" if total else "-"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
