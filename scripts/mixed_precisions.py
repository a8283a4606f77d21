"""`--precision auto` against the exhaustive choice: which layers stay in float, and how many builds that takes.

    python scripts/mixed_precisions.py [--models dense,convolution,residual] [--formats onnx,tflite] [--write]

Every choice of layers in float is built and measured, 2^n of n layers; then for several budgets of signal to noise the
smallest that keeps it is compared with what the search chooses, which sees only what it asks for. `--write` makes
`docs/mixed_precisions.md`. Exit code 1 when the search misses a limit: the same choice, or at most 5 % larger, in at
most a tenth of the builds. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import measurements

LARGER, SHARE = 1.05, 0.1
BETTER = (2.0, 4.0, 7.0, 10.0, 14.0)  # dB above int8
_PAGE = measurements.DOCS / "mixed_precisions.md"


@dataclass(frozen=True)
class Outcome:
    """One budget of one model and format.

    Attributes:
        model: the name of the model.
        form: that of the format.
        layers: how many layers there are to choose from.
        decibels: the budget.
        best: bytes of the exhaustive choice.
        chosen: bytes of what the search chooses; None where it finds none.
        same: whether it is the same choice.
        builds: how many the search made.
    """

    model: str
    form: str
    layers: int
    decibels: float
    best: int
    chosen: int | None
    same: bool
    builds: int

    @property
    def passed(self) -> bool:
        """Whether the search keeps both limits."""
        near = self.chosen is not None and self.chosen <= LARGER * self.best
        return near and self.builds <= SHARE * 2**self.layers


def dense() -> Any:
    """A network of dense layers, wide and narrow in turns."""
    import keras

    x = keras.Input((24,), name="x")
    h = x
    for index, width in enumerate((64, 24, 96, 16, 64, 32, 8)):
        h = keras.layers.Dense(width, activation=("tanh", "relu")[index % 2], name=f"d{index}")(h)
    return keras.Model(x, keras.layers.Dense(3, name="y")(h))


def convolution() -> Any:
    """A network of convolutions, as for small pictures."""
    import keras

    x = keras.Input((16, 16, 3), name="x")
    h = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="c1")(x)
    h = keras.layers.DepthwiseConv2D(3, padding="same", name="dw")(h)
    h = keras.layers.Conv2D(32, 1, activation="relu6", name="c2")(h)
    h = keras.layers.Conv2D(24, 3, strides=2, padding="same", activation="relu", name="c3")(h)
    h = keras.layers.GlobalAveragePooling2D(name="gap")(h)
    h = keras.layers.Dense(48, activation="tanh", name="d1")(h)
    return keras.Model(x, keras.layers.Softmax(name="p")(keras.layers.Dense(10, name="d2")(h)))


def residual() -> Any:
    """A network of sums of what goes around a layer and what goes through it, on signals."""
    import keras

    x = keras.Input((32, 8), name="x")
    h = keras.layers.Conv1D(16, 5, padding="same", activation="relu", name="c1")(x)
    through = keras.layers.Conv1D(16, 3, padding="same", activation="relu", name="c2")(h)
    h = keras.layers.Add(name="a1")([h, through])
    through = keras.layers.Conv1D(16, 9, padding="same", activation="tanh", name="c3")(h)
    h = keras.layers.Add(name="a2")([h, through])
    h = keras.layers.AveragePooling1D(4, name="pool")(h)
    h = keras.layers.Dense(40, activation="sigmoid", name="d1")(keras.layers.Flatten(name="flat")(h))
    return keras.Model(x, keras.layers.Dense(4, name="y")(h))


MODELS: dict[str, Callable[[], Any]] = {"dense": dense, "convolution": convolution, "residual": residual}


def compared(name: str, form: str) -> list[Outcome]:
    """Build every choice of one model in one format, and compare the search with the best of them."""
    import keras
    import numpy as np

    import kexport
    from kexport.factory.precisions.mixed_choice import Build, MixedTrial, Setting, choose

    outcomes: list[Outcome] = []
    mixed: Any = importlib.import_module("kexport.factory.precisions.mixed")

    def exhaustive(setting: Setting, build: Build, accept: object) -> None:
        count = setting.groups
        table = {kept: build(kept) for kept in map(_chosen(count), range(1 << count))}
        present = [trial for trial in table.values() if trial is not None]
        for better in BETTER:
            allowed = setting.plain.noise * 10 ** (-better / 10)
            able = [trial for trial in present if (trial.noise <= allowed).all()]
            best = min(able, key=lambda trial: trial.bytes)
            if len(best.kept) == count:
                continue  # nothing but float32 keeps this budget
            asked: set[frozenset[int]] = set()

            def look(kept: frozenset[int], allowed: Any = allowed, asked: Any = asked) -> MixedTrial | None:
                asked.add(kept)
                found = table[kept]
                return None if found is None else replace(found, passed=bool((found.noise <= allowed).all()))

            found = choose(replace(setting, allowed=allowed, bound=1 << 62), look, lambda trial: True)
            decibels = float(-10 * np.log10(setting.plain.noise.max()) + better)
            size, same = (None, False) if found is None else (found.bytes, found.kept == best.kept)
            outcomes.append(Outcome(name, form, count, decibels, best.bytes, size, same, len(asked)))
            print(outcomes[-1], flush=True)

    keras.utils.set_random_seed(0)
    original, mixed.choose = mixed.choose, exhaustive  # it chooses nothing
    try:
        with tempfile.TemporaryDirectory() as folder:
            domain = {"x": "uniform(-1, 1)"}
            # A budget that no small precision keeps, so that a mixed one is looked for.
            options = {"formats": [form], "domain": domain, "precision": "auto", "budget": "sqnr=200dB"}
            kexport.build(MODELS[name](), Path(folder) / "b", **options)  # type: ignore[arg-type]
    finally:
        mixed.choose = original
    return outcomes


def _chosen(count: int) -> Callable[[int], frozenset[int]]:
    """The groups whose bits are set in a number."""
    return lambda number: frozenset(group for group in range(count) if number >> group & 1)


def page(outcomes: list[Outcome]) -> str:
    """The page with one row for each budget."""
    versions = ", ".join(f"{name} {version}" for name, version in measurements.versions().items())
    passed = sum(outcome.passed for outcome in outcomes)
    same = sum(outcome.same for outcome in outcomes)
    rows = [
        f"| {o.model} | {o.form} | {o.layers} | {o.decibels:.1f} | {o.best:,} | "
        f"{'-' if o.chosen is None else format(o.chosen, ',')} | "
        f"{'-' if o.chosen is None else f'{100 * (o.chosen / o.best - 1):.1f} %'} | "
        f"{'yes' if o.same else 'no'} | {o.builds} | {2**o.layers} | {'pass' if o.passed else 'FAIL'} |"
        for o in outcomes
    ]
    return "\n".join([
        "# Mixed precisions, against the exhaustive choice",
        "",
        "Which layers of an int8 artifact stay in float so that it keeps a budget of signal to noise: what",
        "`--precision auto` chooses, and the smallest of all choices, each of which was built. The limits: the same",
        "choice, or at most 5 % larger, in at most a tenth of the builds.",
        "",
        f"{passed} of {len(outcomes)} pass; {same} of them are the same choice. {versions}.",
        "",
        "| model | format | layers | budget, dB | best, bytes | chosen | larger by | same | builds | of | |",
        "|" + " --- |" * 11,
        *rows,
        "",
        "Made by `scripts/mixed_precisions.py --write`.",
        "",
    ])  # fmt: skip


def main() -> int:
    """Measure, print, and with `--write` make the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--formats", default="onnx,tflite")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    measurements.quiet_environment()
    outcomes = [
        outcome
        for name in given.models.split(",")
        for form in given.formats.split(",")
        for outcome in compared(name, form)
    ]
    text = page(outcomes)
    if given.write:
        _PAGE.write_text(text)
    print(text)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
