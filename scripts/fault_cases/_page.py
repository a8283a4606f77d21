"""The page of faults: what docs/faults.json holds, for readers."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Records = Mapping[str, Mapping[str, Any]]
_PROSE = """# Faults

What kexport finds of faults that are planted in healthy artifacts. `python scripts/benchmark_faults.py --write` makes
this page and [faults.json](faults.json); models and faults are in `scripts/fault_cases`, one file a family.

A fault is planted by changing the ONNX graph or the TFLite file, or by converting a model with one layer changed. The
manifest then has the digest of the faulty file, as after a conversion that went wrong. Its **effect** is measured: the
difference from the healthy artifact in the same raw runtime, in multiples of the noise floor, at corners of the domain
(the build's own, and 1000 random vertices) and on 100,000 uniform samples of it; another whole number, NaN or infinity,
dtype or shape is infinitely far. A fault **must be found** when its effect exceeds 4 noise floors at a corner or on
at least 10^-4 of the samples, and the model allows 100,000 evaluations in the 60 s that a search may take.

- **goldens**: `kexport verify` without a search: the inputs that were fixed at the build.
- **search**: `kexport verify --search 60s` of one runtime, its goldens included: against the other runtimes that a
  device has (ONNX and TFLite), and where these find nothing, against TensorFlow's too. *Search alone*: without goldens.
- **one batch**: what others do: one random batch of 32 from the domain, compared with Keras to an absolute 1e-5.
  *alarm*: the healthy artifact fails it too, so that it tells nothing.
- **localise**: the layer that `kexport localise` names is the planted one. A dash: the fault lies in no layer, or its
  format cannot be looked into.
"""


def page(table: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    faults: Records = table.get("faults", {})
    must = {name: fault for name, fault in faults.items() if fault["effect"]["must_be_found"]}
    rest = {name: fault for name, fault in faults.items() if name not in must}
    parts = [_PROSE, f"Measured with {_versions(table)}.\n", "## Figures\n", *_figures(faults, must, rest)]
    parts += ["\n## What was missed\n", *_missed(must, rest)]
    parts += ["\n## By kind\n", *_by_kind(faults)]
    parts += ["\n## Every fault\n", *_every(faults)]
    parts += ["\n## Healthy artifacts\n", *_healthy(table)]
    parts += ["\n## Large inputs\n", *_throughput(table)]
    return "\n".join(parts) + "\n"


def bad(table: Mapping[str, Any]) -> Iterator[str]:
    """What must not be, a line each."""
    for name, fault in table.get("faults", {}).items():
        if fault["effect"]["must_be_found"] and "search" in fault and not fault["search"]["found"]:
            yield f"{name} must be found, and is missed: {fault['search']['told']}"
    yield from alarms(table)


def alarms(table: Mapping[str, Any]) -> Iterator[str]:
    """What was said against healthy artifacts."""
    for name, seeds in table.get("healthy", {}).items():
        if isinstance(seeds, str):
            yield f"healthy {name}: {seeds}"
            continue
        for seed, checks in seeds.items():
            for check in checks:
                if check["alarm"]:
                    yield f"healthy {name}, seed {seed}, {check['runtime']} {check['kind']}: {check.get('told', '')}"
    for name, seeds in table.get("resaved", {}).items():
        for seed, problems in seeds.items() if isinstance(seeds, Mapping) else [("-", [seeds])]:
            yield from (f"re-saved {name}, seed {seed}: {problem}" for problem in problems)


def _versions(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in table.get("versions", {}).items())


def _figures(faults: Records, must: Records, rest: Records) -> Iterator[str]:
    models, kinds = ({fault[key] for fault in faults.values()} for key in ("model", "kind"))
    yield f"{len(faults)} faults of {len(kinds)} kinds in {len(models)} models.\n"
    yield _line("found by", "those that must be found", "the rest")
    yield _line("---", "---", "---")
    for way, title in (("search", "search"), ("goldens", "goldens alone"), ("one_batch", "one batch, 1e-5")):
        yield _line(title, _share(must, way), _share(rest, way))
        if way == "search":
            yield _line("search alone", _alone(must), _alone(rest))
    located = {name: fault["localise"] for name, fault in faults.items() if fault.get("localise")}
    if located:
        right = sum(each["right"] for each in located.values())
        among = sum(each.get("among", each["right"]) for each in located.values())
        yield f"\nThe planted layer is named in {_percent(right, len(located))}"
        yield f"(with those fused with it in {_percent(among, len(located))})."
    seconds = [fault["search"]["seconds"] for fault in must.values() if fault.get("search", {}).get("found")]
    if seconds:
        median, most = statistics.median(seconds), max(seconds)
        yield f"\nA search finds what it must in {median:.1f} s (median), {most:.1f} s at most."


def _share(faults: Records, way: str) -> str:
    tried = [fault for fault in faults.values() if way in fault]
    return _percent(sum(found(fault, way) for fault in tried), len(tried)) if tried else "-"


def _alone(faults: Records) -> str:
    tried = [fault["search"] for fault in faults.values() if "search" in fault]
    return _percent(sum(each["alone"] for each in tried), len(tried)) if tried else "-"


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} % ({count} of {total})"


def found(fault: Mapping[str, Any], way: str) -> bool:
    """Whether one way tells the faulty artifact from the healthy one."""
    return bool(fault[way]["found"]) and not fault[way].get("alarm", False)


def _missed(must: Records, rest: Records) -> Iterator[str]:
    for title, faults in (("Of those that must be found, by the search", must), ("Of the rest", rest)):
        tried = {name: fault for name, fault in faults.items() if "search" in fault}
        names = [f"`{name}`" for name, fault in sorted(tried.items()) if not fault["search"]["found"]]
        yield f"{title}: {', '.join(names) or ('nothing' if tried else 'not run')}.\n"
    names = [
        f"`{name}`" for name, fault in sorted(must.items()) if "goldens" in fault and not fault["goldens"]["found"]
    ]
    yield f"Of those that must be found, by the goldens alone: {', '.join(names) or 'nothing'}."


def _by_kind(faults: Records) -> Iterator[str]:
    kinds: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for fault in faults.values():
        kinds[fault["kind"]].append(fault)
    yield _line("kind", "faults", "search", "goldens", "one batch", "localise")
    yield _line("---", "---:", "---", "---", "---", "---")
    for kind, own in sorted(kinds.items()):
        yield _line(kind, str(len(own)), *(_count(own, way) for way in ("search", "goldens", "one_batch")), _named(own))


def _count(faults: Sequence[Mapping[str, Any]], way: str) -> str:
    tried = [fault for fault in faults if way in fault]
    number = sum(found(fault, way) for fault in tried)
    return "-" if not tried else "all" if number == len(tried) else f"{number} of {len(tried)}"


def _named(faults: Sequence[Mapping[str, Any]]) -> str:
    tried = [fault["localise"] for fault in faults if fault.get("localise")]
    number = sum(each["right"] for each in tried)
    return "-" if not tried else "all" if number == len(tried) else f"{number} of {len(tried)}"


def _every(faults: Records) -> Iterator[str]:
    yield "Effects in noise floors; seconds and evaluations of the search until the fault was found.\n"
    yield _line("fault", "at a corner", "at random", "share", "must", "goldens", "search", "one batch", "layer named")
    yield _line("---", "---:", "---:", "---:", "---", "---", "---", "---", "---")
    for name, fault in sorted(faults.items()):
        effect = fault["effect"]
        sizes = (_number(effect["corner"]), _number(effect["sampled"]), f"{effect['share']:.1e}")
        must = "yes" if effect["must_be_found"] else "no"
        yield _line(
            name, *sizes, must, _word(fault, "goldens"), _search(fault), _word(fault, "one_batch"), _layer(fault)
        )


def _number(value: float | str) -> str:
    return "∞" if value == "inf" else f"{float(value):.2g}"


def _word(fault: Mapping[str, Any], way: str) -> str:
    if way not in fault:
        return "-"
    return "alarm" if fault[way].get("alarm") else "found" if fault[way]["found"] else "missed"


def _search(fault: Mapping[str, Any]) -> str:
    if "search" not in fault:
        return "-"
    own = fault["search"]
    return f"{own['seconds']} s, {own['evaluations']}" if own["found"] else "missed" if own["ran"] else "not run"


def _layer(fault: Mapping[str, Any]) -> str:
    own = fault.get("localise")
    return "-" if not own else "right" if own["right"] else f"{own['named'] or 'none'}, not {fault['layer']}"


def _healthy(table: Mapping[str, Any]) -> Iterator[str]:
    titles = {"healthy": "2 s of search, 4 runtimes, 5 seeds", "resaved": "re-saved in another order, 5 times"}
    for part, title in titles.items():
        models = table.get(part, {})
        if not models:
            yield f"- {title}: not run."
            continue
        lines = list(alarms({part: models}))
        yield f"- {title}: {len(models)} models, {len(lines)} called faulty."
        yield from (f"  - {line}" for line in lines)
        if part == "healthy" and (unmade := _unmade(models)):
            yield f"  - {unmade} of the checks could not be run."


def _unmade(models: Mapping[str, Any]) -> int:
    seeds = [checks for each in models.values() if isinstance(each, Mapping) for checks in each.values()]
    return sum(not check["ran"] for checks in seeds for check in checks)


def _throughput(table: Mapping[str, Any]) -> Iterator[str]:
    """10,000 samples against the raw runtime on the same ones."""
    rows = table.get("throughput", {})
    if not rows:
        yield "Parity on 10,000 samples against the raw runtime on the same samples: not run."
        return
    yield "Parity on 10,000 samples against the raw runtime on the same ones; see `scripts/benchmark_parity.py`.\n"
    yield _line("model, runtime", "us a sample", "time, times the raw runtime's", "memory, times that of 1,000 samples")
    yield _line("---", "---:", "---:", "---:")
    for name, row in sorted(rows.items()):
        yield _line(name, f"{row['microseconds']:.2f}", f"{row['time']:.2f}", f"{row['memory']:.2f}")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
