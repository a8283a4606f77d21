"""Tasks of the process that runs the bundle's model: tracing it, and the truth of its layers on given inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypedDict

from kexport.bundle import packed_arrays
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.confinement import limited
from kexport.factory.localisation.layer_calls import CallSite
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.factory.localisation.layer_truths import LayerTruths
from kexport.field.trust import Trust, TrustJson

_RUNS = 10  # of the model, in one task: eagerly, with other roundings, and in float64


class TracedJson(TypedDict):
    """What is known of a model once it was traced."""

    outputs: dict[str, str]
    faults: list[dict[str, str]]
    differences: list[str]


class _OutputJson(TypedDict):
    tensor: str
    limit: JsonObject
    recurrent: bool
    given: bool


class LayerJson(TypedDict):
    """A `LayerTruth` without its arrays."""

    call: dict[str, object]
    same_as: str
    outputs: list[_OutputJson]


_traced: list[LayerTruths] = []  # of this process: those of one model


def trace(
    path: str, signature: JsonObject, trust: TrustJson, names: list[str], **sent: Json | bytes
) -> Iterator[object]:
    """Load a `.keras` file and trace it; yields a `TracedJson`.

    Args:
        path: the file, whose digest the caller has checked.
        signature: that of the bundle, as JSON.
        trust: the user code that may run.
        names: of the inputs that are sent, on which the model is traced.
        sent: their arrays, as `packed_arrays` has them.

    Raises:
        ModelError: the file is damaged, or the model does not take the inputs.
        MissingCodeError: code that the file needs was not given, or may not run.
    """
    import keras  # noqa: F401  its time does not count

    trusted, inputs = Trust.from_json(trust), _unpacked(names, sent)
    with limited(_size(inputs), _RUNS):
        model = trusted.load_model(Path(path))
        truths = LayerTruths(model, Signature.from_json(signature), inputs)
    _traced[:] = [truths]
    faults = [asdict(fault) for fault in truths.model_faults]
    yield TracedJson(outputs=dict(truths.outputs), faults=faults, differences=trusted.differences())


def of(names: list[str], **sent: Json | bytes) -> Iterator[object]:
    """What `LayerTruths.of` says; yields where the limits come from, the layers, and their arrays."""
    (truths,), inputs = _traced, _unpacked(names, sent)
    with limited(_size(inputs), _RUNS):
        layers = truths.of(inputs)
    yield truths.source
    yield [_to_json(layer) for layer in layers]
    yield from _packed([array for layer in layers for output in layer.outputs for array in _arrays(output)])


def intervened(names: list[str], layer: str, index: int, seen: str, **sent: Json | bytes) -> Iterator[object]:
    """What `LayerTruths.intervened` says; the last array that is sent is the value. Yields whether a twin runs."""
    (truths,), inputs = _traced, _unpacked([*names, ""], sent)
    value = inputs.pop("")
    with limited(_size(inputs), _RUNS):
        results = truths.intervened(inputs, layer, index, value, seen)
    yield results is not None
    yield from _packed(results or [])


def layer_truths(layers: Sequence[LayerJson], arrays: Sequence[Array]) -> list[LayerTruth]:
    """The layers that `of` sent.

    Raises:
        KeyError, StopIteration, TypeError, ValueError: they are not of that form.
    """
    left = iter(arrays)
    return [
        LayerTruth(_call(layer["call"]), tuple(_output(each, left) for each in layer["outputs"]), layer["same_as"])
        for layer in layers
    ]


def _to_json(layer: LayerTruth) -> LayerJson:
    outputs = [
        _OutputJson(
            tensor=each.tensor, limit=each.limit.to_json(), recurrent=each.recurrent, given=each.given is not None
        )
        for each in layer.outputs
    ]
    return {"call": asdict(layer.call), "same_as": layer.same_as, "outputs": outputs}


def _arrays(output: LayerOutput) -> list[Array]:
    given = [] if output.given is None else [output.given]
    return [output.truth, output.keras_output, output.ulp_sensitivity, *given]


def _call(data: dict[str, object]) -> TracedCall:
    texts = {name: tuple(map(str, data[name])) for name in ("tensors", "feeds", "work_of")}  # type: ignore[call-overload]
    names = {name: str(data[name]) for name in ("name", "scope", "same_as")}
    return TracedCall(CallSite(**data["site"]), **names, **texts)  # type: ignore[arg-type]


def _output(data: _OutputJson, arrays: Iterator[Array]) -> LayerOutput:
    truth, computed, moves = next(arrays), next(arrays), next(arrays)
    spec, limit = TensorSpec(data["tensor"], computed.dtype.name, computed.shape), OutputLimit.from_json(data["limit"])
    output = LayerOutput(data["tensor"], spec, limit, truth, computed, moves, bool(data["recurrent"]))
    return replace(output, given=next(arrays)) if data["given"] else output


def _unpacked(names: Sequence[str], sent: Mapping[str, Json | bytes]) -> dict[str, Array]:
    content = sent["payload"]
    assert isinstance(content, bytes)
    return dict(zip(names, packed_arrays.unpacked(sent["described"], content), strict=True))


def _packed(arrays: Sequence[Array]) -> Iterator[object]:
    yield packed_arrays.described(arrays)
    yield b"".join(packed_arrays.chunks(arrays))


def _size(arrays: Mapping[str, Array]) -> int:
    return sum(math.prod(array.shape) * array.itemsize for array in arrays.values())
