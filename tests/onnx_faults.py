"""Faults planted in the ONNX file of a bundle, which the manifest then describes, as after a conversion gone wrong."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle import manifest


def light(source: Path, target: Path, *formats: str) -> Path:
    """A copy of a bundle with some of its artifacts alone: no TensorFlow is needed to run it."""
    shutil.copytree(source, target)
    _edit(target, lambda entry: None, keep=formats or ("onnx", "tflite"))
    return target


def describe(bundle: Path, format_name: str, path: str) -> None:
    """Let the manifest have the digest of the file that is there."""
    sha256 = hashlib.sha256((bundle / path).read_bytes()).hexdigest()
    _edit(bundle, lambda entry: entry.update(sha256=sha256) if entry["format"] == format_name else None)


def plant(bundle: Path, edit: Callable[[Any], None]) -> Path:
    """Change the ONNX graph of a bundle; returns the bundle."""
    import onnx

    model = onnx.load(bundle / "model.onnx")
    edit(model.graph)
    onnx.save(model, bundle / "model.onnx")
    describe(bundle, "onnx", "model.onnx")
    return bundle


def weight_off(share: float) -> Callable[[Any], None]:
    """The largest weight off by a share of its size."""

    def edit(graph):
        from onnx import numpy_helper

        weights = [tensor for tensor in graph.initializer if tensor.data_type == 1]
        tensor = max(weights, key=lambda each: numpy_helper.to_array(each).size)
        array = numpy_helper.to_array(tensor).copy()
        array.flat[np.abs(array).argmax()] *= 1 + share
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    return edit


def misfire(place: float, width: float, size: float = 1.0) -> Callable[[Any], None]:
    """An element of the input that lies within `width` of a place adds `size` to the output's element."""

    def edit(graph):
        def wrong(source, healthy, out):
            return [
                node("Sub", [source, constant(graph, place)], "misfire_from"),
                node("Abs", ["misfire_from"], "misfire_apart"),
                node("Less", ["misfire_apart", constant(graph, width)], "misfire_is"),
                node("Cast", ["misfire_is"], "misfire_one", to=1),
                node("Mul", ["misfire_one", constant(graph, size)], "misfire_size"),
                node("Add", [healthy, "misfire_size"], out),
            ]

        put_behind(graph, wrong)

    return edit


def nan_becomes_zero(graph: Any) -> None:
    """NaN in the output becomes 0."""
    put_behind(
        graph,
        lambda source, healthy, out: [
            node("IsNaN", [healthy], "swallowed"),
            node("Where", ["swallowed", constant(graph, 0.0), healthy], out),
        ],
    )


def first_sample_only(graph: Any) -> None:
    """All samples of a batch but the first give 0."""
    put_behind(
        graph,
        lambda source, healthy, out: [
            node("Shape", [healthy], "shape"),
            node("Gather", ["shape", constant(graph, 0, "int64")], "count"),
            node("Range", [constant(graph, 0, "int64"), "count", constant(graph, 1, "int64")], "rows"),
            node("Equal", ["rows", constant(graph, 0, "int64")], "first"),
            node("Cast", ["first"], "one", to=1),
            node("Unsqueeze", ["one", constant(graph, [1], "int64")], "column"),
            node("Mul", [healthy, "column"], out),
        ],
    )


def clipped_output(least: float) -> Callable[[Any], None]:
    """A maximum that the model does not have."""
    return lambda graph: put_behind(
        graph, lambda source, healthy, out: [node("Max", [healthy, constant(graph, least)], out)]
    )


def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(operator, inputs, [output], f"planted_{output}", **attributes)


def constant(graph: Any, value: Any, dtype: str = "float32") -> str:
    from onnx import numpy_helper

    name = f"constant_{len(graph.initializer)}"
    graph.initializer.append(numpy_helper.from_array(np.asarray(value, dtype), name))
    return name


def put_behind(graph: Any, nodes: Callable[[str, str, str], list[Any]]) -> None:
    """Put nodes behind the one output; they are made of the names of the input, the healthy output, and the output."""
    source, result = graph.input[0].name, graph.output[0].name
    for each in graph.node:
        for index, name in enumerate(each.output):
            if name == result:
                each.output[index] = "healthy"
    graph.node.extend(nodes(source, "healthy", result))


def _edit(bundle: Path, change: Callable[[dict[str, Any]], None], keep: tuple[str, ...] = ()) -> None:
    path = bundle / manifest.FILE_NAME
    content = json.loads(path.read_text())
    content["artifacts"] = [entry for entry in content["artifacts"] if not keep or entry["format"] in keep]
    for entry in content["artifacts"]:
        change(entry)
    path.write_text(json.dumps(content))
