"""TensorFlow, which runs a signature of a SavedModel, by default `serving_default`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kexport.bundle.signature import Array, Signature, TensorSpec, held
from kexport.errors import ArtifactError
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime
from kexport.runtimes._session import Opened
from kexport.runtimes.files.saved_model_keys import keys
from kexport.runtimes.keras_model import to_array, to_tensor
from kexport.runtimes.saved_model_graph import load_folder, require_allowed

_DEFAULT = "serving_default"
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def _open(path: Path, signature: Signature) -> Opened:
    model = load_folder(path)
    serve = model.signatures[signature.name or _default(model.signatures)]
    _, declared = serve.structured_input_signature

    def run(arrays: Sequence[Array], _alive: object = model) -> Sequence[Array]:
        # The loaded object owns the variables, so it must live as long as the function.
        feeds = {spec.name: to_tensor(spec.dtype, array) for spec, array in zip(signature.inputs, arrays, strict=True)}
        outputs = serve(**feeds)
        return [to_array(outputs[spec.name]) for spec in signature.outputs]

    inputs, outputs = (tuple(map(_spec, each, each.values())) for each in (declared, serve.structured_outputs))
    names = tuple(_distinct(model.signatures))
    return Opened(run, inputs, tuple(serve.structured_outputs), ordered=False, produced=outputs, signatures=names)


def _default(signatures: Mapping[str, object]) -> str:
    """The signature to serve where none is named."""
    if not signatures:
        raise ArtifactError("the SavedModel has no signature", hint="tf.saved_model.save(..., signatures=function)")
    return _DEFAULT if _DEFAULT in signatures else next(iter(signatures))


def _distinct(signatures: Mapping[str, Any]) -> Iterator[str]:
    """The signatures, without a second one that calls the same function: Keras writes `serve` as `serving_default`."""
    seen = set()
    for name in sorted(signatures, key=lambda each: each != _DEFAULT):
        calls = [op for op in signatures[name].graph.get_operations() if op.type in _CALLS]
        called = (
            (calls[0].get_attr("f").name, tuple(each.name for each in calls[0].inputs)) if len(calls) == 1 else name
        )
        if called not in seen:
            seen.add(called)
            yield name


def _spec(name: str, spec: Any) -> TensorSpec:
    """An input or output, of a `tf.TensorSpec` or a tensor; an output of unknown rank is stated without axes."""
    return TensorSpec(
        name, held(name, spec.dtype.name), tuple(spec.shape.as_list()) if spec.shape.rank is not None else ()
    )


RUNTIME = Runtime(
    name="saved_model",
    file=ArtifactFile("saved_model", member="saved_model.pb", keys=keys),
    package=Package("tensorflow", ("tensorflow", "tensorflow-cpu"), extra="build"),
    rank=40,
    summary="TensorFlow, the SavedModel's serving signature",
    opener=_open,
    guard=require_allowed,
)
