"""Ordered pairs of Keras' layers, written as ONNX and TFLite, and run by the raw runtimes on inputs of their own.

    python scripts/layer_pairs.py --count 500 --seed 1 [--jobs 2] [--only TEXT] [--log FILE] [--write]
    python scripts/layer_pairs.py --sample

`--count N` takes N pairs at random, `--count 0` all of them, some of which do not fit. The seed draws the settings of
the layers and their weights. `--part 3/8` takes the third of eight parts of them. `--only TEXT` takes the pairs with
this text in their names; `--log FILE` appends what is said of each, one JSON object a line; `--write` writes the
figures to docs/layer_pairs.md; `--summary` writes those of the log, where the last word on a pair counts, and runs
nothing. `--sample` takes a few.

Exit code 1 when a pair is wrong, a fault of kexport, or refused. Five pairs a second. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import forked
from measurements import DOCS, parser, quiet_environment, versions

SAMPLE = (1, 24)  # seed, and how many
_SLICE = 160  # pairs of one process
_TIMEOUT = 120.0  # seconds of a pair, and a tenth for each pair more


def records(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What became of each pair that fits, by format."""
    from network_cases import _pair_verdicts, _pairs

    pairs = [pair for pair in _pairs.every() if options.only in pair.name]
    if options.count and options.count < len(pairs):
        pairs = random.Random(options.seed).sample(pairs, options.count)
    part, parts = map(int, options.part.split("/"))
    pairs = pairs[part - 1 :: parts]

    def task(some: Sequence[Any]) -> forked.Task:
        return forked.Task(
            some[0].name, partial(_pair_verdicts.judged, some, options.seed), timeout=_TIMEOUT * (1 + len(some) / 10)
        )

    slices = {each[0].name: each for each in (pairs[start : start + _SLICE] for start in range(0, len(pairs), _SLICE))}
    for outcome in forked.outcomes([task(each) for each in slices.values()], options.jobs):
        ended = [outcome]
        if outcome.error or outcome.crash:  # whose fault it is
            ended = list(forked.outcomes([task([pair]) for pair in slices[outcome.task.name]], options.jobs))
        for each in ended:
            why = each.error or each.crash
            broken = {each.task.name: dict.fromkeys(_pair_verdicts.FORMATS, (_pair_verdicts.FAULT, why[-300:]))}
            for name, said in (broken if why else each.result).items():
                yield {"pair": name, "seed": options.seed, **said}


def told(record: dict[str, Any], log: str | None) -> dict[str, Any]:
    """The record, which is appended to the log; what is not right is printed."""
    for name, said in record.items():
        if name not in ("pair", "seed") and said[0] != "right":
            print(f"{record['pair']}: {name} {': '.join(said)}", flush=True)
    if log:
        with Path(log).open("a") as file:
            file.write(json.dumps(record) + "\n")
    return record


def logged(path: str) -> list[dict[str, Any]]:
    """The last record of each pair and seed in a log."""
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return list({(record["pair"], record["seed"]): record for record in records}.values())


def page(found: list[dict[str, Any]]) -> str:
    """The page of the figures."""
    from network_cases import _pair_verdicts as verdicts
    from network_cases import _pairs

    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    statuses = (verdicts.RIGHT, verdicts.REFUSED, verdicts.WRONG, verdicts.FAULT)
    seeds = ", ".join(map(str, sorted({record["seed"] for record in found})))
    lines = [
        "# Pairs of layers", "",
        f"{len(found)} ordered pairs of Keras' layers (seed {seeds}), with random settings and weights, in ONNX and",
        "TFLite, run by onnxruntime and both kernels of LiteRT on two batches of inputs of their own, of two lengths",
        "where a size is not fixed. Right is within 1e-5 of the scale of what Keras gives. Where a pair amplifies",
        "rounding, as the mean of a normalisation does, which is 0, right is within four times the distance of Keras",
        f"itself from the model in float64. There are {len(_pairs.every())} combinations of a shape and two layers, of",
        "which fewer than half fit; these are a part of them, in which the layers below came so often.", "",
        f"{packages}.", "",
        "| format | " + " | ".join(statuses) + " | of the right, amplified rounding |",
        "| --- |" + " --- |" * (len(statuses) + 1),
    ]  # fmt: skip
    for name in verdicts.FORMATS:
        counts = Counter(record[name][0] for record in found)
        amplified = sum(record[name][0] == verdicts.RIGHT and bool(record[name][1]) for record in found)
        figures = [*(str(counts[status]) for status in statuses), str(amplified)]
        lines.append(f"| {name} | " + " | ".join(figures) + " |")
    lines += ["", "Layers that were first or second in a pair:", "", _layers(found)]
    lines += ["", "What is not right:", ""]
    wrong = [
        f"- {record['pair']}: {name} {record[name][0]}: {record[name][1][:160]}"
        for record in sorted(found, key=lambda record: str(record["pair"]))
        for name in verdicts.FORMATS
        if record[name][0] != verdicts.RIGHT
    ]
    lines += wrong or ["nothing."]
    return "\n".join([*lines, "", "Made by `scripts/layer_pairs.py --summary`.", ""])


def _layers(found: list[dict[str, Any]]) -> str:
    counts: Counter[str] = Counter()
    for record in found:
        counts.update(record["pair"].rpartition(" on ")[0].split(", "))
    text = ", ".join(f"{layer} {count}" for layer, count in sorted(counts.items())) + "."
    return "\n".join(textwrap.wrap(text, 118))


def main() -> int:
    """Judge the pairs; 1 when one is not right."""
    quiet_environment()
    command = parser(__doc__)
    command.add_argument("--count", type=int, default=500, help="how many pairs; 0 for all (%(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of pairs, settings and weights (%(default)s)")
    command.add_argument("--part", default="1/1", metavar="N/M", help="the Nth of M parts of them (%(default)s)")
    command.add_argument("--only", default="", metavar="TEXT", help="the pairs with this text in their names")
    command.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    command.add_argument("--log", metavar="FILE", help="what is said of each, one JSON object per line")
    command.add_argument("--write", action="store_true", help="write docs/layer_pairs.md")
    command.add_argument("--summary", action="store_true", help="write docs/layer_pairs.md from the log alone")
    command.add_argument("--sample", action="store_true", help="the pairs that the tests take")
    options = command.parse_args()
    if options.sample:
        options.seed, options.count = SAMPLE
    if options.summary:
        (DOCS / "layer_pairs.md").write_text(page(logged(options.log)))
        return 0
    forked.import_everything("network_cases._pair_verdicts")
    found = [told(record, options.log) for record in records(options)]
    right = sum(all(each[name][0] == "right" for name in ("onnx", "tflite")) for each in found)
    print(f"seed {options.seed}: {right} of {len(found)} pairs that fit are right")
    if options.write:
        (DOCS / "layer_pairs.md").write_text(page(found))
    return 0 if right == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
