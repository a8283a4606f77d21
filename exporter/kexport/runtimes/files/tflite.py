"""What a TFLite file says of itself, read with the schema that LiteRT and TensorFlow both bring."""

from __future__ import annotations

import collections
import importlib
from pathlib import Path
from typing import Any

_SCHEMAS = ("ai_edge_litert.schema_py_generated", "tensorflow.lite.python.schema_py_generated")


def details(path: Path) -> dict[str, Any]:
    """How often the model uses each operator, in each version of the operator.

    Raises:
        ImportError: neither LiteRT nor TensorFlow is installed.
    """
    types = schema()
    model = types.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)
    names = {value: name for name, value in vars(types.BuiltinOperator).items() if not name.startswith("_")}
    codes = [
        f"{names[max(code.builtinCode, code.deprecatedBuiltinCode)]} v{code.version}" for code in model.operatorCodes
    ]
    used = collections.Counter(codes[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators or ())
    return {"ops": dict(sorted(used.items()))}


def foreign_operators(content: bytes) -> list[tuple[str, str]]:
    """Name of each operator that is not built in (Flex ones too), and of the tensor it makes."""
    types = schema()
    model = types.ModelT.InitFromPackedBuf(bytearray(content), 0)
    custom = types.BuiltinOperator.CUSTOM
    found = []
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            if max(code.builtinCode, code.deprecatedBuiltinCode) == custom:
                name = (code.customCode or b"custom").decode().removeprefix("Flex")
                found.append((name, graph.tensors[operator.outputs[0]].name.decode()))
    return found


def schema() -> Any:
    """The classes of a TFLite file, as LiteRT or TensorFlow brings them.

    Raises:
        ImportError: neither is installed.
    """
    for name in _SCHEMAS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError("no schema of TFLite files is installed")
