"""TensorFlow, which runs the signature `serving_default` of a SavedModel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime
from kexport.runtimes._session import Opened
from kexport.runtimes.keras_model import to_array, to_tensor
from kexport.runtimes.saved_model_graph import require_allowed


def _open(path: Path, signature: Signature) -> Opened:
    import tensorflow as tf

    model = tf.saved_model.load(str(path))
    serve = model.signatures["serving_default"]
    _, declared = serve.structured_input_signature

    def run(arrays: Sequence[Array], _alive: object = model) -> Sequence[Array]:
        # The loaded object owns the variables, so it must live as long as the function.
        feeds = {spec.name: to_tensor(spec.dtype, array) for spec, array in zip(signature.inputs, arrays, strict=True)}
        outputs = serve(**feeds)
        return [to_array(outputs[spec.name]) for spec in signature.outputs]

    inputs = tuple(TensorSpec(name, spec.dtype.name, tuple(spec.shape.as_list())) for name, spec in declared.items())
    return Opened(run, inputs, tuple(serve.structured_outputs), ordered=False)


RUNTIME = Runtime(
    name="saved_model",
    file=ArtifactFile("saved_model", member="saved_model.pb"),
    package=Package("tensorflow", ("tensorflow", "tensorflow-cpu"), extra="build"),
    rank=40,
    summary="TensorFlow, the SavedModel's serving signature",
    opener=_open,
    guard=require_allowed,
)
