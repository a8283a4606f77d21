"""A traced program on disk, from which a converter reads it in a process of its own.

The graph stays as it was traced; the weights lie beside it as plain bytes, so that no step holds them twice and a
model of any size can be handed over. `graph.pb` is a GraphDef, `weights.bin` the values one after another,
`program.json` the rest.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.factory.emit.trail import Trail, layer_of
from kexport.factory.emit.user_lines import user_lines
from kexport.factory.graph import function_names
from kexport.factory.graph.protocols import GraphDef, Tensor
from kexport.factory.trace import paths, state, stateful_model
from kexport.factory.trace.program import Program

GRAPH, WEIGHTS, REST = "graph.pb", "weights.bin", "program.json"
STATEFUL = "stateful"
_SEED = "seed_generator_state"  # the name that Keras gives these variables
_ALIGNMENT = 64  # bytes; values are mapped into memory, where kernels like them aligned


@dataclass(frozen=True)
class Table:
    """A lookup table: keys and the value of each."""

    keys: Array
    values: Array


@dataclass(frozen=True)
class TracedGraph:
    """The traced function, without its weights.

    Attributes:
        graph_def: with its library of functions.
        inputs: names of the tensors of the flat inputs, in the order of the signature.
        outputs: names of the tensors of the flat outputs, likewise.
        captures: for each placeholder that stands for something that the function captured, its value: an array or a
            `Table`. Arrays are mapped from the file, not read.
    """

    graph_def: GraphDef
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    captures: Mapping[str, Array | Table]


@dataclass(frozen=True)
class Handover:
    """A traced program, read from disk.

    Attributes:
        graph: the traced function.
        signature: the signature of the artifacts.
        recurrent: settings of the functions that compute recurrent layers, by function name.
        name: the name of the model.
        assigned: for each placeholder that stands for state (a variable that is read and assigned to), the operation
            that assigns. The folder `STATEFUL` in the handover then holds a SavedModel.
        seeds: those of them that are the state of a generator of random numbers.
        trail: what has been emitted of it, and whose it is.
    """

    graph: TracedGraph
    signature: Signature
    recurrent: Mapping[str, Mapping[str, object]]
    name: str
    assigned: Mapping[str, str] = field(default_factory=dict)
    seeds: frozenset[str] = frozenset()
    trail: Trail = field(default_factory=Trail)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all captured arrays."""
        return sum(value.nbytes for value in self.graph.captures.values() if isinstance(value, np.ndarray))

    def layer_of_result(self, name: str) -> str:
        """The layer that computes a tensor of a converted file, in words; an output there has lost its old name."""
        public = [spec.name for spec in self.signature.outputs]
        emitted = re.fullmatch(r"output_(\d+)", name)
        index = int(emitted[1]) if emitted else public.index(name) if name in public else -1
        if 0 <= index < len(self.graph.outputs):
            nodes = {node.name: node for node in self.graph.graph_def.node}
            name = self.graph.outputs[index].partition(":")[0]
            while name in nodes and nodes[name].op == "Identity":
                name = nodes[name].input[0].partition(":")[0]
        return layer_of(name, self.trail.scopes)


def write(program: Program, folder: Path) -> None:
    """Write the traced program into an empty folder."""
    graph = program.core.graph
    folder.mkdir()
    captures = []
    with (folder / WEIGHTS).open("wb") as file:
        for external, internal in graph.captures:
            captures.append({"placeholder": internal.op.name, **_write_value(_value(external, program), file)})
    # With shapes: behind a read of a captured variable the importer could not infer them.
    graph_def = graph.as_graph_def(add_shapes=True)
    names = function_names.renumber(graph_def).functions
    (folder / GRAPH).write_bytes(graph_def.SerializeToString(deterministic=True))
    rest = {
        "name": program.model.name,
        "inputs": [tensor.name for tensor in graph.inputs[: len(program.signature.inputs)]],
        "outputs": [tensor.name for tensor in graph.outputs],
        "captures": captures,
        "signature": program.signature.to_json(),
        "scopes": {**program.scopes, **_own_model(program)},
        "lines": user_lines(graph),
        "recurrent_layers": sorted(_recurrent_layers(program)),
        "layers": not program.served,
        "recurrent": {names.get(name, name): settings for name, settings in program.recurrent.items()},
        "assigned": state.kept(graph),
        "seeds": _seeds(program),
    }
    if rest["assigned"]:
        program.reset()
        stateful_model.save(program, folder / STATEFUL)
    (folder / REST).write_text(json.dumps(rest, sort_keys=True))


def read(folder: Path) -> Handover:
    """Read what `write` wrote."""
    from tensorflow.core.framework import graph_pb2

    graph_def = graph_pb2.GraphDef()
    graph_def.ParseFromString((folder / GRAPH).read_bytes())
    rest = json.loads((folder / REST).read_text())
    path = folder / WEIGHTS
    data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    captures = {entry["placeholder"]: _read_value(entry, data) for entry in rest["captures"]}
    return Handover(
        TracedGraph(graph_def, tuple(rest["inputs"]), tuple(rest["outputs"]), captures),
        Signature.from_json(rest["signature"]),
        rest["recurrent"],
        rest["name"],
        rest["assigned"],
        frozenset(rest["seeds"]),
        Trail(rest["scopes"], rest["lines"], frozenset(rest["recurrent_layers"]), rest["layers"]),
    )


def _own_model(program: Program) -> dict[str, str]:
    """What operations outside of every layer belong to: the model, where its class is the user's own."""
    kind = type(program.model)
    if program.served or kind.__module__.partition(".")[0] in ("keras", "types"):
        return {}
    return {"": f"model {program.model.name!r} ({kind.__name__})"}


def _recurrent_layers(program: Program) -> Iterator[str]:
    """The recurrent layers of Keras, in the words of the scopes."""
    import keras

    for layer, path in paths(program.model) if program.scopes else ():
        if isinstance(layer, keras.layers.RNN):
            yield f"layer {path!r} ({type(layer).__name__})"


def _seeds(program: Program) -> list[str]:
    """The placeholders of variables in which Keras keeps the state of its random numbers."""
    graph = program.core.graph
    handles = [variable.handle for variable in graph.variables if _SEED in variable.name]
    return [internal.op.name for external, internal in graph.captures if any(external is handle for handle in handles)]


def _value(external: Tensor, program: Program) -> Array | tuple[Array, Array] | None:
    """The value of a captured tensor: an array, a pair of arrays for a table, or None."""
    import tensorflow as tf

    if external.dtype != tf.resource:
        return external.numpy()
    for variable in program.core.graph.variables:
        if variable.handle is external:
            return np.asarray(variable)
    return program.entries(external)


def _write_value(value: Array | tuple[Array, Array] | None, file: BinaryIO) -> dict[str, object]:
    if value is None:
        return {}
    if isinstance(value, tuple):
        return {"table": [_write_value(np.asarray(part), file) for part in value]}
    array = np.asarray(value)
    if array.dtype.kind in "OSU":  # strings, which TensorFlow gives as bytes where there is one only
        array = array.astype(object)
        texts = [base64.b64encode(item).decode() for item in array.ravel().tolist()]
        return {"strings": texts, "shape": list(array.shape)}
    file.write(bytes(-file.tell() % _ALIGNMENT))
    entry = {"at": file.tell(), "dtype": array.dtype.name, "shape": list(array.shape)}
    np.ascontiguousarray(array).reshape(-1).view(np.uint8).tofile(file)
    return entry


def _read_value(entry: Mapping[str, Any], data: Array) -> Any:
    import tensorflow as tf

    if "table" in entry:
        return Table(*(_read_value(part, data) for part in entry["table"]))
    if "strings" in entry:
        flat = np.array([base64.b64decode(text) for text in entry["strings"]], dtype=object)
        return flat.reshape(entry["shape"])
    if "at" not in entry:
        return None
    dtype = np.dtype(tf.as_dtype(entry["dtype"]).as_numpy_dtype)
    count = int(np.prod(entry["shape"], dtype=np.int64)) * dtype.itemsize
    return data[entry["at"] : entry["at"] + count].view(dtype).reshape(entry["shape"])
