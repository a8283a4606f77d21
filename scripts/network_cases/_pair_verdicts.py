"""Whether the artifacts of pairs of layers compute what Keras computes: many pairs in one model, or one alone.

The pairs of a model share nothing, each has an input and an output, so that what a converter does to one it does
alone. What converters decide for a model as a whole is looked at: where that may be otherwise for a pair alone, or a
pair is not right, the pairs are taken by halves, down to one. Only what is right is ever said of a pair among others.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kexport.errors import KexportError, reason
from kexport.parity.tolerance import FLOOR_MULTIPLE
from network_cases._pairs import Pair
from raw_runtimes import Array, litert, litert_reference, onnxruntime

FORMATS = ("onnx", "tflite")
RIGHT, REFUSED, WRONG, FAULT = "right", "refused", "wrong", "fault"
_TOGETHER = 10
_LOOPING = ("LSTM", "GRU", "RNN")  # layers that may have to be taken alone are taken together
_CLOSE = 1e-5  # of the output's scale
_EPSILON = np.float32(2**-23)
_LENGTHS = ((3, 10), (1, 7))  # batch, and the first size that is not fixed
Verdict = tuple[str, str]  # and why
NOT_TOLD: Verdict = (FAULT, "is to be taken alone")


class Subject:
    """A pair as a model, with inputs and what Keras gives for them.

    Args:
        name: of the pair.
        model: the layers with their weights; one input, one output.
        seed: of the inputs.
    """

    def __init__(self, name: str, model: Any, seed: int) -> None:
        self.name, self.model, self._seed = name, model, seed

    @cached_property
    def trials(self) -> list[tuple[Array, Array]]:
        """Inputs of several batches and lengths, each with what Keras gives for it alone."""
        declared = self.model.inputs[0].shape[1:]
        rng = np.random.default_rng([self._seed, 1])
        found = []
        for batch, length in _LENGTHS:
            if found and None not in declared:  # the first of several, which no layer mixes
                ((x, wanted),) = found
                return [(x, wanted), (x[:1], wanted[:1])]
            sizes = [length + axis if size is None else size for axis, size in enumerate(declared)]
            x = rng.normal(size=(batch, *sizes)).astype("float32")
            found.append((x, np.asarray(self.model(x, training=False))))
        return found

    def computes(self) -> bool:
        """Whether Keras itself can compute it: what its layers say of their shapes is not always true.

        Eagerly, a spectrum of what is shorter than its frames has another number of axes or channels than declared.
        """
        declared = self.model.outputs[0].shape
        try:
            shapes = [wanted.shape for _, wanted in self.trials]
        except Exception:  # noqa: BLE001  whatever Keras raises, the layers do not fit
            return False
        return all(len(shape) == len(declared) and all(map(_fits, declared, shape)) for shape in shapes)

    def in_double(self, x: Array) -> tuple[Array, float]:
        """The truth for an input, and how far Keras in float32 is from it there and one rounding of the input away."""
        from kexport.factory.truth.float64_twin import everywhere, twin

        rng = np.random.default_rng(self._seed)
        nearby = [x, *(x * (1 + rng.choice([-1, 0, 1], x.shape).astype("float32") * _EPSILON) for _ in range(8))]
        with everywhere():
            double = twin(self.model)
            truths = [np.asarray(double(each.astype("float64"), training=False)) for each in nearby]
        given = [np.asarray(self.model(each, training=False)) for each in nearby]
        return truths[0], max(np.abs(one - other).max() for one, other in zip(given, truths, strict=True))


def _fits(declared: int | None, size: int) -> bool:
    return declared in (None, size)


def judged(pairs: Sequence[Pair], seed: int, folder: Path) -> Mapping[str, Mapping[str, Verdict]]:
    """By name of the pair and by format, what became of it, and why; of a pair that does not fit, nothing."""
    found: dict[str, dict[str, Verdict]] = {}
    subjects = []
    for pair in pairs:
        network = pair.network(seed)
        subject = None if network is None else Subject(pair.name, network.model(), seed)
        if subject is not None and subject.computes():
            subjects.append(subject)
    subjects.sort(key=lambda subject: any(word in subject.name for word in _LOOPING))
    judge = Judge(folder)
    for start in range(0, len(subjects), _TOGETHER):
        found |= judge.of(subjects[start : start + _TOGETHER], FORMATS)
    return found


class Judge:
    """Judges subjects together, and by halves where that does not tell.

    Args:
        folder: to work in; need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._models = folder, 0

    def of(self, subjects: Sequence[Subject], formats: Sequence[str]) -> dict[str, dict[str, Verdict]]:
        """The verdicts by name and format."""
        found: dict[str, dict[str, Verdict]] = {subject.name: {} for subject in subjects}
        outcomes: dict[str, Sequence[Verdict]]
        try:
            model = Model(subjects, self._new())
        except Exception as error:  # noqa: BLE001  what kexport lets through is its outcome
            outcomes = dict.fromkeys(formats, [_of_error(error)] * len(subjects))
        else:
            outcomes = {name: model.outcomes(name) for name in formats}
        for name, verdicts in outcomes.items():
            left = []
            for subject, verdict in zip(subjects, verdicts, strict=True):
                if verdict[0] == RIGHT or len(subjects) == 1:
                    found[subject.name][name] = verdict
                else:
                    left.append(subject)
            half = -(-len(left) // 2) if len(left) == len(subjects) else len(left)
            for part in (left[:half], left[half:]):
                for subject_name, again in self.of(part, [name]).items() if part else ():
                    found[subject_name] |= again
        return found

    def _new(self) -> Path:
        self._models += 1
        folder = self._folder / str(self._models)
        folder.mkdir(parents=True)
        return folder


class Model:
    """Several subjects, each with an input and an output, as one traced model.

    Args:
        subjects: share nothing.
        folder: empty, to work in.
    """

    def __init__(self, subjects: Sequence[Subject], folder: Path) -> None:
        from kexport.factory.emit import handover
        from kexport.factory.graph import tensor_lists
        from kexport.factory.trace.program import trace

        self._subjects, self._folder = subjects, folder
        self._alone = len(subjects) == 1
        self._model = subjects[0].model if self._alone else _together(subjects)
        handover.write(trace(self._model), folder / "handover")
        graph = handover.read(folder / "handover").graph.graph_def
        self._unordered = not tensor_lists.scanned(graph)  # then all lists become tensors in ONNX

    def outcomes(self, name: str) -> Sequence[Verdict]:
        """What becomes of each subject in a format; fault where that may be otherwise for it alone."""
        from kexport.factory import formats

        module, _, function = (formats.get(name).converter or "").partition(":")
        target = self._folder / f"model.{name}"
        convert = getattr(importlib.import_module(module), function)
        try:
            with _decisions() as said:
                (details,) = convert(str(self._folder / "handover"), str(target), {})
        except Exception as error:  # noqa: BLE001  what kexport lets through is its outcome
            return [_of_error(error)] * len(self._subjects)
        lists = self._unordered and name == "onnx" and _loops(target)
        if not self._alone and (said or "pinned" in details or lists):
            return [NOT_TOLD] * len(self._subjects)
        verdicts: list[Verdict] = [(RIGHT, "")] * len(self._subjects)
        for trial in range(len(_LENGTHS)):
            given = [subject.trials[trial] for subject in self._subjects]
            for runtime in _RUNTIMES[name]:
                by = runtime.__name__
                try:
                    results = runtime(target)(_named(self._model, [x for x, _ in given])).values()
                except Exception as error:  # noqa: BLE001  a runtime may raise anything: the artifact does not work
                    return [(WRONG, f"{by}: {reason(error)[:300]}")] * len(self._subjects)
                for place, (got, (x, wanted)) in enumerate(zip(results, given, strict=True)):
                    problem = _problem(got, wanted)
                    if problem and verdicts[place][0] == RIGHT:
                        bound = self._alone and _is_rounding(got, self._subjects[place], x)
                        verdicts[place] = (RIGHT if bound else WRONG, f"{by}, batch {len(x)}: {problem}")
        return verdicts


def _loops(path: Path) -> bool:
    """Whether an ONNX file has loops."""
    import onnx

    return any(node.op_type in ("Loop", "Scan") for node in onnx.load(str(path)).graph.node)


def _together(subjects: Sequence[Subject]) -> Any:
    """One model of several; its inputs and outputs have names in alphabetical order."""
    import keras

    inputs = [
        keras.Input(subject.model.inputs[0].shape[1:], name=f"x{place:03}") for place, subject in enumerate(subjects)
    ]
    outputs = {
        f"y{place:03}": subject.model(x) for place, (subject, x) in enumerate(zip(subjects, inputs, strict=True))
    }
    return keras.Model(inputs, outputs)


def _of_error(error: Exception) -> Verdict:
    if isinstance(error, KexportError):
        text = str(error)
        return (FAULT if "bug in kexport" in text else REFUSED), " ".join(text.split())[:400]
    return FAULT, reason(error)[:400]


@contextmanager
def _decisions() -> Iterator[list[str]]:
    """What a converter says that it decides for a model as a whole."""
    logger, said = logging.getLogger("kexport"), list[str]()
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield said
    finally:
        logger.removeHandler(listener)
        logger.setLevel(logging.NOTSET)


def _problem(got: Array, wanted: Array) -> str:
    if got.shape != wanted.shape:
        return f"shape {got.shape} instead of {wanted.shape}"
    if not np.array_equal(np.isfinite(got), np.isfinite(wanted)):
        return "NaN or infinity at other places"
    finite = np.isfinite(wanted)
    distance = np.abs(np.where(finite, got, 0) - np.where(finite, wanted, 0)).max(initial=0)
    scale = np.abs(np.where(finite, wanted, 0)).max(initial=0)
    return f"off by {distance / max(scale, 1e-30):.1e} of the scale" if distance > _CLOSE * max(scale, 1e-3) else ""


def _is_rounding(got: Array, subject: Subject, x: Array) -> bool:
    """Whether an output is as near to the truth as the limits of the product allow, where a pair amplifies rounding."""
    truth, noise = subject.in_double(x)
    return got.shape == truth.shape and bool((np.abs(got - truth) <= FLOOR_MULTIPLE * noise).all())


def _named(model: Any, given: Sequence[Array]) -> dict[str, Array]:
    """Inputs by the names that a file has for them."""
    return {tensor.name: x for tensor, x in zip(model.inputs, given, strict=True)}


_RUNTIMES = {"onnx": (onnxruntime,), "tflite": (litert, litert_reference)}
