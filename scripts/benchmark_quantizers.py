"""Our TFLite artifacts of 8-bit weights against those that `ai-edge-quantizer` makes of our float32 file.

    pip install --target DIR --no-deps ai-edge-quantizer immutabledict
    python scripts/benchmark_quantizers.py --quantizer DIR [--only REGEX] [--write]

Bytes, and the ratio of signal to noise on inputs that calibrated neither, in LiteRT's default kernels. Both calibrate
on the same inputs, the other one by its own way. `--write` makes `docs/quantizers.md`. Exit code 1 where the other file
is smaller by more than a hundredth, and no less exact. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import measurements

_PAGE = measurements.DOCS / "quantizers.md"
_RECORDED, _HELD_OUT = 48, 32  # inputs
_SMALLER = 0.99


@dataclass(frozen=True)
class Row:
    """One model in one precision.

    Attributes:
        model: the name of the model.
        precision: `dynamic` or `int8`.
        ours: bytes and dB of our artifact.
        theirs: those of the other one; or why there are none.
    """

    model: str
    precision: str
    ours: tuple[int, float]
    theirs: tuple[int, float] | str

    @property
    def is_worse(self) -> bool:
        """Whether the other artifact is smaller by more than a hundredth, and no less exact."""
        return (
            not isinstance(self.theirs, str)
            and self.theirs[0] < _SMALLER * self.ours[0]
            and self.theirs[1] >= self.ours[1]
        )


def models() -> dict[str, Callable[[], Any]]:
    """Networks with random weights, which calibrate as trained ones do but for their ranges."""
    import keras
    from keras import layers

    mobilenet = partial(keras.applications.MobileNetV2, weights=None, classifier_activation=None)

    def sequence(shape: tuple[int, ...], *parts: Any) -> Any:
        return keras.Sequential([keras.Input(shape, name="x"), *parts])

    return {
        "dense": lambda: sequence((64,), layers.Dense(32, activation="relu"), layers.Dense(10)),
        "convolutions": lambda: sequence(
            (16, 16, 3), layers.Conv2D(8, 3, activation="relu"), layers.DepthwiseConv2D(3, activation="relu"),
            layers.Conv2D(16, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(10),
        ),
        "transposed": lambda: sequence(
            (8, 8, 6), layers.Conv2DTranspose(8, 4, strides=2, activation="relu"), layers.Conv2DTranspose(3, 3),
        ),
        "rows of a GRU": lambda: sequence((9, 6), layers.GRU(24), layers.Dense(10)),
        "rows of an LSTM": lambda: sequence((9, 6), layers.LSTM(24), layers.Dense(10)),
        "MobileNetV2 96": lambda: mobilenet(input_shape=(96, 96, 3)),
    }  # fmt: skip


def measure(name: str, model: Any, folder: Path) -> Iterator[Row]:
    """Both artifacts of a model in each precision."""
    import kexport

    (shape,) = [tensor.shape[1:] for tensor in model.inputs]
    random = np.random.default_rng(0)
    recorded, held_out = (random.uniform(-1, 1, (count, *shape)).astype("float32") for count in (_RECORDED, _HELD_OUT))
    normalise(model, recorded)
    right = np.asarray(model(held_out))
    bundle = kexport.build(
        model,
        folder / "bundle",
        formats=["tflite"],
        precision="float32,dynamic,int8",
        samples=recorded,
        keep_going=True,
    )
    (key,) = [spec.name for spec in bundle.signature.inputs]
    for precision in ("dynamic", "int8"):
        own = bundle.path / f"model.{precision}.tflite"
        other = folder / f"{precision}.tflite"
        ours = (own.stat().st_size, decibels(own, key, held_out, right))
        theirs: tuple[int, float] | str
        try:
            quantise(bundle.path / "model.tflite", other, key, recorded if precision == "int8" else None)
            theirs = (other.stat().st_size, decibels(other, key, held_out, right))
        except Exception as error:  # noqa: BLE001  whatever it raises, there is no file
            theirs = f"{type(error).__name__}: {error}".split("\n")[0][:80]
        yield Row(name, precision, ours, theirs)


def normalise(model: Any, recorded: Any) -> None:
    """Give batch normalisation the moments of the inputs, as training does: without, signals die away."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(recorded, training=True)


def quantise(source: Path, target: Path, key: str, recorded: Any) -> None:
    """Write the other artifact: with 8-bit weights alone, or with ranges of the recorded inputs too."""
    from ai_edge_quantizer import quantizer, recipe  # type: ignore[import-not-found]

    chosen = recipe.dynamic_wi8_afp32() if recorded is None else recipe.static_wi8_ai8()
    work = quantizer.Quantizer(str(source), chosen)
    ranges = None
    if recorded is not None:
        ranges = work.calibrate({"serving_default": [{key: each[np.newaxis]} for each in recorded]})
    target.write_bytes(bytes(work.quantize(ranges).quantized_model))


def decibels(path: Path, key: str, inputs: Any, right: Any) -> float:
    """The ratio of signal to noise of a file in LiteRT, one call a sample."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=1).get_signature_runner()
    (taken,), (result,) = runner.get_input_details().values(), runner.get_output_details().values()
    own, made = _integers_of(taken), _integers_of(result)
    noise = 0.0
    for sample, expected in zip(inputs, right, strict=True):
        row = sample[np.newaxis]
        (given,) = runner(**{key: row if own is None else own.quantized(key, row)}).values()
        noise += np.square((given if made is None else made.real(given))[0].astype(np.float64) - expected).sum()
    return float(10 * np.log10(np.square(right.astype(np.float64)).sum() / noise))


def _integers_of(tensor: Any) -> Any:
    """How the integers of a tensor stand for numbers; None where it holds these."""
    from kexport.bundle.quantization import AffineQuantization

    name = np.dtype(tensor["dtype"]).name
    return None if name == "float32" else AffineQuantization(name, *tensor["quantization"])


def page(rows: list[Row], version: str) -> str:
    """The page of the figures."""
    lines = [
        "# Two quantisers for TFLite",
        "",
        "8-bit artifacts of kexport, by TensorFlow's converter and what kexport does to its files, against what",
        f"`ai-edge-quantizer` {version} makes of the same float32 file: bytes, and signal to noise on {_HELD_OUT}",
        "random inputs that calibrated neither, in LiteRT's default kernels. Both calibrate on the same",
        f"{_RECORDED} inputs, each by its own way. The weights of the networks are random.",
        "",
        "| model | precision | ours | | the other one | |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        ours = f"{row.ours[0]:,} bytes | {row.ours[1]:.1f} dB"
        theirs = (
            f"{row.theirs} |" if isinstance(row.theirs, str) else f"{row.theirs[0]:,} bytes | {row.theirs[1]:.1f} dB"
        )
        lines.append(f"| {row.model} | {row.precision} | {ours} | {theirs} |")
    lines += [
        "",
        "So artifacts are made by TensorFlow's converter alone. What made the other `dynamic` files smaller were",
        "weights of fewer than 1,024 numbers, which the converter leaves in float, and empty buffers; kexport sees to",
        "both. The ranges of its int8 are moving averages, which cut off the ends; and it needs one version of LiteRT.",
        "",
        "Made by `scripts/benchmark_quantizers.py --write`.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, and print a row for each model and precision; returns 1 when the other file is the better one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quantizer", required=True, metavar="DIR", help="where it was installed")
    parser.add_argument("--only", default="", metavar="REGEX", help="models whose name matches")
    parser.add_argument("--write", action="store_true", help="write docs/quantizers.md")
    given = parser.parse_args()
    measurements.quiet_environment()
    sys.path.append(given.quantizer)
    import keras

    rows = []
    for name, make in models().items():
        if not re.search(given.only, name):
            continue
        keras.utils.set_random_seed(0)
        with tempfile.TemporaryDirectory() as folder, measurements.muted():
            found = [*measure(name, make(), Path(folder))]
        for row in found:
            print(row, flush=True)
        rows += found
    if given.write:
        _PAGE.write_text(page(rows, importlib.metadata.version("ai-edge-quantizer")))
    return 1 if any(row.is_worse for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
