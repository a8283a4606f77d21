"""The runtimes of a device as their makers give them: what kexport says of an artifact is measured against these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
#: From the inputs of a call to its outputs, by name, in the order of the file.
Serve = Callable[[Arrays], dict[str, Array]]


def onnxruntime(path: Path) -> Serve:
    """An ONNX file in onnxruntime, on one thread; may raise anything."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]

    def serve(x: Arrays) -> dict[str, Array]:
        feeds = {name: values.astype(object) if values.dtype.kind == "U" else values for name, values in x.items()}
        return {name: np.asarray(value) for name, value in zip(names, session.run(None, feeds), strict=True)}

    return serve


def litert(path: Path, *, reference: bool = False) -> Serve:
    """A TFLite file in LiteRT, on one thread; one that takes a sample at a time is called for each. May raise anything.

    Args:
        path: of the file; it has a signature.
        reference: whether its reference kernels run instead of XNNPACK.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kernels)
    runner = interpreter.get_signature_runner()
    pinned = all(each["shape_signature"][:1].tolist() == [1] for each in runner.get_input_details().values())

    def one(x: Arrays) -> dict[str, Array]:
        return {name: np.array(value) for name, value in runner(**x).items()}  # no view into the interpreter

    def serve(x: Arrays) -> dict[str, Array]:
        rows = len(next(iter(x.values()))) if pinned and x else 1
        if rows == 1:
            return one(x)
        made = [one({name: values[row : row + 1] for name, values in x.items()}) for row in range(rows)]
        return {name: np.concatenate([each[name] for each in made]) for name in made[0]}

    return serve


def litert_reference(path: Path) -> Serve:
    """The same in LiteRT's reference kernels."""
    return litert(path, reference=True)


def saved_model(path: Path) -> Serve:
    """The signature `serving_default` of a SavedModel in TensorFlow; may raise anything."""
    import tensorflow as tf

    served = tf.saved_model.load(str(path)).signatures["serving_default"]

    def serve(x: Arrays) -> dict[str, Array]:
        made = served(**{name: tf.constant(values) for name, values in x.items()})
        return {name: value.numpy() for name, value in made.items()}

    return serve
