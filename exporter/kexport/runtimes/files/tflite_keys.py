"""The keys of the tables in a TFLite file."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np

from kexport.runtimes.files.keys import ANY, FileKeys, Keys
from kexport.runtimes.files.tflite import number, parse, schema

#: By the name of an operator: which of its inputs hold keys.
_KEYS = {"HASHTABLE_IMPORT": (1,), "HASHTABLE_LOOKUP": (1,), "EQUAL": (0, 1), "NOT_EQUAL": (0, 1)}
_COMPARED = 2  # inputs of an operator that compares
_WHOLE = {"INT32": "<i4", "INT64": "<i8"}


def keys(path: Path) -> FileKeys:
    """What any input of a TFLite file may meet; nothing where it cannot be read."""
    found = Keys()
    try:
        model: Any = parse(path.read_bytes())
        operators, types = schema().BuiltinOperator, schema().TensorType
        wanted = {getattr(operators, name): places for name, places in _KEYS.items()}
        for graph in model.subgraphs:
            for operator in graph.operators or ():
                for place in wanted.get(number(model.operatorCodes[operator.opcodeIndex]), ()):
                    tensor = graph.tensors[operator.inputs[place]]
                    content = model.buffers[tensor.buffer].data
                    if content is not None and len(content):
                        values = _values(bytes(content), tensor.type, types)
                        (found.add if len(operator.inputs) > _COMPARED else found.compare)(values)
    except (OSError, ImportError, LookupError, ValueError, TypeError, struct.error):
        return {}  # loading it tells
    return {ANY: found}


def _values(content: bytes, kind: int, types: Any) -> list[float | str]:
    """The texts or whole numbers in a buffer."""
    for name, layout in _WHOLE.items():
        if kind == getattr(types, name):
            return [int(each) for each in np.frombuffer(content, layout)]
    if kind != types.STRING:
        return []
    # How many there are, where each begins, and where the last one ends.
    (count,) = struct.unpack_from("<i", content)
    starts = struct.unpack_from(f"<{count + 1}i", content, 4)
    return [content[a:b].decode(errors="surrogateescape") for a, b in itertools.pairwise(starts)]
