"""Versions and operators of a TFLite file, read with the schema that LiteRT and TensorFlow both ship."""

from __future__ import annotations

import collections
import importlib
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kexport.runtimes.files.protocols import TfliteModel, TfliteOperatorCode, TfliteSchema, TfliteTensor

_SCHEMAS = ("ai_edge_litert.schema_py_generated", "tensorflow.lite.python.schema_py_generated")


def details(path: Path) -> dict[str, object]:
    """How often the model in a file uses each operator, in each version of it; and which integers are computed.

    Raises:
        ImportError: neither LiteRT nor TensorFlow is installed.
    """
    return details_of(parse(path.read_bytes()))


def details_of(model: TfliteModel) -> dict[str, object]:
    """The details of a model that has been parsed."""
    names = numbered(schema().BuiltinOperator)
    codes = [
        f"{code.customCode.decode(errors='replace') if code.customCode else names[number(code)]} v{code.version}"
        for code in model.operatorCodes
    ]
    counts = collections.Counter(codes[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators or ())
    integers = _computed_integers(model)
    return {"ops": dict(sorted(counts.items())), **({"integers": integers} if integers else {})}


def _computed_integers(model: TfliteModel) -> list[str]:
    """The dtypes of integers that stand for real numbers and that operators compute."""
    types = numbered(schema().TensorType)
    operators = [(graph, operator) for graph in model.subgraphs for operator in graph.operators or ()]
    computed = [graph.tensors[index] for graph, operator in operators for index in operator.outputs if index >= 0]
    return sorted({types[tensor.type].lower() for tensor in computed if _is_quantised(tensor)})


def _is_quantised(tensor: TfliteTensor) -> bool:
    quantization = tensor.quantization
    return quantization is not None and quantization.scale is not None and len(quantization.scale) > 0


def foreign_operators(model: TfliteModel) -> list[tuple[str, str]]:
    """The name of each operator that is not built in (Flex operators too), and of the tensor it computes."""
    custom = schema().BuiltinOperator.CUSTOM
    foreign = []
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            if number(code) == custom:
                name = (code.customCode or b"custom").decode().removeprefix("Flex")
                foreign.append((name, (graph.tensors[operator.outputs[0]].name or b"").decode()))
    return foreign


def keeps_state(path: Path) -> bool:
    """Whether what a call computes depends on earlier calls: it sets a variable, or filters a signal step by step.

    Raises:
        ImportError: neither LiteRT nor TensorFlow is installed.
    """
    operators: Any = schema().BuiltinOperator
    try:
        return _sets_variables(parse(path.read_bytes()), operators)
    except (LookupError, AttributeError, TypeError, ValueError, OSError, struct.error):
        return False  # loading it tells


def _sets_variables(model: Any, operators: Any) -> bool:
    """Whether a call of one of the graphs sets a variable; those of operators that run once do not count."""
    setting = {operators.ASSIGN_VARIABLE, operators.SVDF}
    found: set[int] = set()
    first: set[int] = set()  # what sets variables only before the first call
    for index, graph in enumerate(model.subgraphs):
        for operator in graph.operators or ():
            kind = number(model.operatorCodes[operator.opcodeIndex])
            if kind in setting:
                found.add(index)
            elif kind == operators.CALL_ONCE:
                first.add(operator.builtinOptions.initSubgraphIndex)
    return bool(found - first)


def parse(content: bytes) -> TfliteModel:
    """The model in a TFLite file.

    Raises:
        ImportError: neither LiteRT nor TensorFlow is installed.
    """
    return schema().ModelT.InitFromPackedBuf(bytearray(content), 0)


def number(code: TfliteOperatorCode) -> int:
    """The number of an operator: old files keep it in a field of one byte, which the other one extends."""
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def operators_of(model: Any, graph: Any) -> Iterator[tuple[str, Any]]:
    """The operators of a graph of a model, each behind the name of its kind."""
    names = numbered(schema().BuiltinOperator)
    for operator in graph.operators or ():
        yield names.get(number(model.operatorCodes[operator.opcodeIndex]), ""), operator


def float_outputs(model: Any, graph: Any) -> dict[int, int]:
    """The outputs of a graph that are made of integers at its end, by the tensors that hold these."""
    ends = set(map(int, graph.outputs))
    return {
        int(operator.inputs[0]): int(operator.outputs[0])
        for kind, operator in operators_of(model, graph)
        if kind == "DEQUANTIZE" and int(operator.outputs[0]) in ends
    }


def numbered(enumeration: object) -> Mapping[int, str]:
    """The names of an enumeration of the schema, by number."""
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def schema() -> TfliteSchema:
    """The classes of a TFLite file, as LiteRT or TensorFlow ships them.

    Raises:
        ImportError: neither is installed.
    """
    for name in _SCHEMAS:
        try:
            module: TfliteSchema = importlib.import_module(name)
        except ImportError:
            continue
        return module
    raise ImportError("no schema of TFLite files is installed: LiteRT and TensorFlow ship one")
