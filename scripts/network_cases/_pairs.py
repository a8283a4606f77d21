"""Ordered pairs of layers: which fit, and whether their artifacts compute what Keras computes."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.errors import KexportError, reason
from network_cases._catalogue import Dice, Shape
from network_cases._more_layers import ALL
from network_cases._network import Layer, Network, Step

Array = np.ndarray[Any, Any]
FORMATS = ("onnx", "tflite")
RIGHT, REFUSED, WRONG, FAULT, UNFIT = "right", "refused", "wrong", "fault", "does not fit"
#: Where a pair begins: without the batch; `None` is a size that is not fixed.
STARTS: tuple[Shape, ...] = ((12,), (10, 4), (None, 4), (9, 8, 4), (None, None, 4), (4, 6, 5, 3))
_TRIES, _KINDS_DRAWN = 120, 600
_CLOSE = 1e-5  # of the output's scale
_LENGTHS = ((1, 7), (3, 10))  # batch, and the first size that is not fixed


@dataclass(frozen=True)
class Pair:
    """Two layers, the second on what the first makes of its input.

    Attributes:
        start: the shape that the first takes.
        first: its name, and that of a layer in it.
        second: likewise.
    """

    start: Shape
    first: str
    second: str

    @property
    def name(self) -> str:
        """The pair in words."""
        sizes = " x ".join("?" if size is None else str(size) for size in self.start)
        return f"{self.first}, {self.second} on {sizes}"

    def network(self, seed: int) -> Network | None:
        """The layers with drawn settings and random weights; None where the second does not fit."""
        dice = Dice(np.random.default_rng([seed, *self.name.encode()]))
        for _ in range(8):
            first = _drawn(dice, self.start, self.first)
            shape = None if first is None else _after(first, self.start)
            second = None if shape is None else _drawn(dice, shape, self.second)
            if first is not None and shape is not None and second is not None and _after(second, shape) is not None:
                entry = Step(Layer("Input", {"shape": self.start, "name": "x"}))
                return Network(seed, (entry, _step(first, 0), _step(second, 1)), (2,))
        return None


def every() -> list[Pair]:
    """All pairs, also those of which the second does not fit."""
    dice = Dice(np.random.default_rng(0))
    names = {rank: sorted({_label(layer) for layer in _some(dice, rank)}) for rank in ALL}
    everything = sorted({name for group in names.values() for name in group})
    return [Pair(start, one, other) for start in STARTS for one in names[len(start)] for other in everything]


def _some(dice: Dice, rank: int) -> Iterator[Layer]:
    shapes = [shape for shape in STARTS if len(shape) == rank]
    for _ in range(_KINDS_DRAWN):
        layer = dice.of(*ALL[rank])(dice, dice.of(*shapes))
        if layer is not None:
            yield layer


def _label(layer: Layer) -> str:
    inner = layer.options.get("layer")
    return f"{layer.name}({inner.name})" if isinstance(inner, Layer) else layer.name


def _drawn(dice: Dice, shape: Shape, label: str) -> Layer | None:
    """A layer of this name that can be on a tensor of this shape."""
    for _ in range(_TRIES if len(shape) in ALL else 0):
        layer = dice.of(*ALL[len(shape)])(dice, shape)
        if layer is not None and _label(layer) == label:
            return layer
    return None


def _step(layer: Layer, number: int) -> Step:
    """The layer on a tensor, which attention is on twice."""
    return Step(layer, (number, number) if layer.name.endswith("Attention") else (number,))


def _after(layer: Layer, shape: Shape) -> Shape | None:
    """The shape of what the layer gives; None where Keras refuses it, or a size is 0."""
    import keras

    try:
        step = _step(layer, 0)
        result = tuple(step.apply([keras.Input(shape)] * len(step.inputs)).shape[1:])
    except Exception:  # noqa: BLE001  whatever Keras raises, the layer does not fit
        return None
    return None if 0 in result else result


def judged(pair: Pair, seed: int, folder: Path) -> Mapping[str, Sequence[str]]:
    """For each format, what became of it, and why; a pair whose layers do not fit has no format."""
    network = pair.network(seed)
    if network is None:
        return {}
    from kexport.factory.emit import handover
    from kexport.factory.trace.program import trace

    model = network.model()
    handover.write(trace(model), folder / "handover")
    trials = list(_trials(model, seed))
    return {name: _outcome(name, folder, trials) for name in FORMATS}


def _trials(model: Any, seed: int) -> Iterator[tuple[Array, Array]]:
    rng = np.random.default_rng([seed, 1])
    for batch, length in _LENGTHS:
        sizes = [length + axis if size is None else size for axis, size in enumerate(model.inputs[0].shape[1:])]
        x = rng.normal(size=(batch, *sizes)).astype("float32")
        yield x, np.asarray(model(x, training=False))


def _outcome(name: str, folder: Path, trials: Sequence[tuple[Array, Array]]) -> tuple[str, str]:
    from kexport.factory import formats

    module, _, function = (formats.get(name).converter or "").partition(":")
    target = folder / f"model.{name}"
    try:
        list(getattr(importlib.import_module(module), function)(str(folder / "handover"), str(target), {}))
    except KexportError as error:
        text = str(error)
        return (FAULT if "bug in kexport" in text else REFUSED), " ".join(text.split())[:400]
    except Exception as error:  # noqa: BLE001  what kexport lets through is its outcome
        return FAULT, reason(error)[:400]
    for x, wanted in trials:
        for run in _RUNS[name]:
            try:
                got = run(target, x)
            except Exception as error:  # noqa: BLE001  a runtime may raise anything: the artifact does not work
                return WRONG, f"{run.__name__.strip('_')}: {reason(error)[:300]}"
            if problem := _problem(got, wanted):
                return WRONG, f"{run.__name__.strip('_')}, batch {len(x)}: {problem}"
    return RIGHT, ""


def _problem(got: Array, wanted: Array) -> str:
    if got.shape != wanted.shape:
        return f"shape {got.shape} instead of {wanted.shape}"
    if not np.array_equal(np.isfinite(got), np.isfinite(wanted)):
        return "NaN or infinity at other places"
    finite = np.isfinite(wanted)
    distance = np.abs(np.where(finite, got, 0) - np.where(finite, wanted, 0)).max(initial=0)
    scale = np.abs(np.where(finite, wanted, 0)).max(initial=0)
    return f"off by {distance / max(scale, 1e-30):.1e} of the scale" if distance > _CLOSE * max(scale, 1e-3) else ""


def _onnxruntime(path: Path, x: Array) -> Array:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return np.asarray(onnxruntime.InferenceSession(str(path), options).run(None, {"x": x})[0])


def _litert(path: Path, x: Array, *, reference: bool = False) -> Array:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(str(path), experimental_op_resolver_type=kernels)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    if (given["shape_signature"] >= 0).all():  # written for one batch
        return np.concatenate([_called(interpreter, given, made, row[None]) for row in x])
    interpreter.resize_tensor_input(given["index"], x.shape)
    return _called(interpreter, given, made, x)


def _called(interpreter: Any, given: Any, made: Any, x: Array) -> Array:
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], x)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(made["index"]))


def _litert_reference(path: Path, x: Array) -> Array:
    return _litert(path, x, reference=True)


_RUNS = {"onnx": (_onnxruntime,), "tflite": (_litert, _litert_reference)}
