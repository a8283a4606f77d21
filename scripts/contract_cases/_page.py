"""The page of promises: what docs/contracts_measured.json holds, for readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Records = Mapping[str, Mapping[str, Any]]
LEAST, RATIO, DECIBELS, CONFIGURATIONS = 4.0, 1.05, 0.01, 200
RUNTIMES = ("keras", "saved_model", "onnxruntime", "litert", "litert_reference")
_PROSE = """# Promises, measured

What kexport finds of promises that are broken, that it leaves alone what keeps them, and what layers that keep them
cost. `python scripts/benchmark_contracts.py --work DIR --write` makes this page and
[contracts_measured.json](contracts_measured.json); the cases are in `scripts/contract_cases`.
"""
_BREAKS = """A layer promises something and computes something else; the Keras model itself is wrong, so parity finds
nothing. Its promise is checked at default effort in every runtime, each on its own (what one finds is taken away before
the next) and with 3 seeds. **Effect**: how far it lies beyond the promise, in multiples of the slack that float
arithmetic could claim there at most; each statement is measured a second time for that, from its definition and apart
from the contract, on random or stated inputs in ONNX Runtime. Below 4 it is no break. A promise about weights is exact.
**Tried**: the most samples that any check needed.
"""
_HEALTHY = """Layers and compositions, and Keras' own layers with promises that a user states (plain), with random
parameters, sizes, weights, domains and policies (float32 and mixed_float16) of a fixed seed. A third of them are built
to all four formats, the rest to ONNX and TFLite. Every promise that the bundle carries is checked at default effort: in
onnxruntime, litert and litert_reference with 5 seeds each, and in Keras and the SavedModel with one.
"""
_RESPONSE = """The windowed sinc of 31 taps at 40 Hz, for signals at 360 Hz, as float32 artifacts: the largest
difference of its gain from that which SciPy's `freqz` computes of the taps in float64, where that is above -80 dB. By
the transform of what an impulse gives, and by sines one at a time.
"""
_LATENCY = """One call, in ONNX Runtime and LiteRT themselves with one thread: the artifact of a layer against the
smallest graph of the same mathematics that is written by hand for the same sizes, ONNX with the same opset, and TFLite
as TensorFlow converts a function of the fewest operations. Both are timed in turns; the ratio is the median of those of
neighbours.
"""


def page(table: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in table.get("versions", {}).items())
    parts = [_PROSE, f"Measured with {versions}.\n", "## Figures\n", *_figures(table)]
    parts += ["\n## Breaks\n", _BREAKS, *_breaks(table.get("breaks", {}))]
    parts += ["\n## Layers, formats, runtimes\n", _HEALTHY, *_matrix(table.get("healthy", {}))]
    parts += ["\n## The stop band of a filter\n", _RESPONSE, *_response(table.get("response", {}))]
    parts += ["\n## Latency\n", _LATENCY, *_latency(table.get("latency", {}))]
    return "\n".join(parts) + "\n"


def bad(table: Mapping[str, Any]) -> Iterator[str]:
    """What must not be, a line each."""
    for part in ("breaks", "healthy", "response", "latency"):
        for name, record in table.get(part, {}).items():
            if "problem" in record:
                yield f"{name}: {record['problem'].strip().splitlines()[-1]}"
            else:
                yield from (f"{name}: {told}" for told in _WRONG[part](record))


def _wrong_break(record: Mapping[str, Any]) -> Iterator[str]:
    if record["otherwise"]:
        yield f"something else fails too: {record['otherwise']}"
    if not record["rejected"]:
        yield "the build is not rejected"
    if "effect" in record and record["effect"]["ratio"] < LEAST:
        yield f"an effect of {record['effect']['ratio']:.2g} slacks is no break"
    for runtime, seeds in record["found"].items():
        missed = [index for index, seed in enumerate(seeds) if not seed["found"]] if runtime != "build" else []
        if missed or not seeds:
            yield f"missed in {runtime}, seeds {missed}"


def _wrong_healthy(record: Mapping[str, Any]) -> Iterator[str]:
    yield from record["alarms"]
    if not (record["promises"] or record["not_carried"]):
        yield "nothing is promised"
    if not set(record["runtimes"]) >= set(RUNTIMES[2:]):
        yield f"checked in {', '.join(record['runtimes'])}"


def _wrong_response(record: Mapping[str, Any]) -> Iterator[str]:
    for runtime, ways in record["runtimes"].items():
        yield from (f"{way} through {runtime}: {figure:.4f} dB" for way, figure in ways.items() if figure > DECIBELS)


def _wrong_latency(record: Mapping[str, Any]) -> Iterator[str]:
    for runtime, each in record.items():
        if each["ratio"] > RATIO:
            yield f"{each['ratio']:.3f} times the graph that is written by hand, in {runtime}"


_WRONG = {"breaks": _wrong_break, "healthy": _wrong_healthy, "response": _wrong_response, "latency": _wrong_latency}


def _sound(part: str, records: Records) -> dict[str, Mapping[str, Any]]:
    return {name: each for name, each in records.items() if "problem" not in each and not list(_WRONG[part](each))}


def _figures(table: Mapping[str, Any]) -> Iterator[str]:
    breaks, healthy = table.get("breaks", {}), table.get("healthy", {})
    known = [each for each in healthy.values() if "problem" not in each]
    checks = [counts for each in known for counts in each["runtimes"].values()]
    alarms = sum(len(each["alarms"]) for each in known) + len(healthy) - len(known)
    apart = [f for e in table.get("response", {}).values() for w in e["runtimes"].values() for f in w.values()]
    ratios = [each["ratio"] for record in table.get("latency", {}).values() for each in record.values()]
    yield _line("", "limit", "measured")
    yield _line("---", "---", "---")
    yield _line("layers x formats x runtimes: parity and every promise hold", "100 %", _kept(checks))
    yield _line("planted breaks found in every runtime", "100 %", _percent(len(_sound("breaks", breaks)), len(breaks)))
    of = f"{alarms} of {sum(counts[2] for counts in checks)} checks of {len(healthy)} configurations"
    yield _line("false alarms", f"0, {CONFIGURATIONS} configurations, 5 seeds", of)
    yield _line(
        "stop band of the 31-tap filter, from freqz", f"{DECIBELS} dB", f"{max(apart):.4f} dB" if apart else "-"
    )
    yield _line("latency of a layer, from the smallest graph", f"{RATIO} x", f"{max(ratios):.3f} x" if ratios else "-")


def _kept(checks: list[list[int]]) -> str:
    made, passed = (sum(counts[at] + counts[at + 2] for counts in checks) for at in (0, 1))
    return _percent(passed, made)


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} % ({count} of {total})" if total else "-"


def _breaks(records: Records) -> Iterator[str]:
    yield _line("contract", "how it is broken", "effect", "found in", "tried")
    yield _line("---", "---", "---:", "---", "---:")
    for name, record in sorted(records.items()):
        if "problem" in record:
            yield _line(name, record["problem"].strip().splitlines()[-1], "", "", "")
            continue
        seeds = [seed for each in record["found"].values() if isinstance(each, list) for seed in each]
        effect = record.get("effect", {}).get("ratio", 0.0)
        missed = list(_wrong_break(record))
        where = "; ".join(missed) or ("the build" if "build" in record["found"] else f"{len(record['found'])} runtimes")
        tried = str(max(seed["tried"] for seed in seeds)) if seeds else "-"
        yield _line(f"`{record['kind']}`", record["title"], _effect(effect), where, tried)


def _effect(ratio: float) -> str:
    return "-" if not ratio else "∞" if ratio >= 1e300 else f"{ratio:.2g}"


def _matrix(records: Records) -> Iterator[str]:
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for record in records.values():
        if "problem" not in record:
            rows[record["layers"][0] if len(record["layers"]) == 1 else "compositions"].append(record)
    yield "Checks that passed, of parity and of promises; a check that could not be run has not passed.\n"
    yield _line("layer", "configurations", *RUNTIMES)
    yield _line("---", "---:", *["---"] * len(RUNTIMES))
    for layer, own in sorted(rows.items()):
        cells = [[each["runtimes"][runtime] for each in own if runtime in each["runtimes"]] for runtime in RUNTIMES]
        yield _line(layer, str(len(own)), *map(_cell, cells))
    wrong = list(bad({"healthy": records}))
    yield f"\nCalled broken, or otherwise wrong: {'; '.join(wrong) or 'nothing'}."


def _cell(counts: list[list[int]]) -> str:
    parity, passed, promises, kept = (sum(each[at] for each in counts) for at in range(4))
    return f"{passed}/{parity}, {kept}/{promises}"


def _response(records: Records) -> Iterator[str]:
    yield _line("filter", "by", *RUNTIMES)
    yield _line("---", "---", *["---:"] * len(RUNTIMES))
    for name, record in sorted(records.items()):
        for way in ("impulse", "sines"):
            yield _line(name, way, *(f"{record['runtimes'][each][way]:.4f} dB" for each in RUNTIMES))


def _latency(records: Records) -> Iterator[str]:
    yield _line("layer", "onnxruntime", "us", "litert", "us")
    yield _line("---", "---:", "---:", "---:", "---:")
    for name, record in sorted(records.items()):
        both = [record[runtime] for runtime in ("onnxruntime", "litert")]
        yield _line(name, *(cell for each in both for cell in (f"{each['ratio']:.3f}", f"{each['microseconds']:.0f}")))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
