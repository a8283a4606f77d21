"""Protocols for the classes that LiteRT and TensorFlow generate from the schema of TFLite files.

A list that the file lacks is None; names and custom codes are bytes.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Protocol


class TfliteOperatorCode(Protocol):
    """An operator that the model uses (`OperatorCodeT`)."""

    builtinCode: int
    deprecatedBuiltinCode: int
    customCode: bytes | None
    version: int


class TfliteQuantization(Protocol):
    """How the integers of a tensor stand for real numbers (`QuantizationParametersT`)."""

    scale: Sequence[float] | None
    zeroPoint: Sequence[int] | None


class TfliteTensor(Protocol):
    """A tensor of a graph (`TensorT`); `type` is a value of `TensorType`."""

    name: bytes | None
    type: int
    quantization: TfliteQuantization | None


class TfliteOperator(Protocol):
    """An operator in a graph (`OperatorT`); `inputs` holds -1 in place of an optional one."""

    opcodeIndex: int
    inputs: Sequence[int]
    outputs: Sequence[int]


class TfliteGraph(Protocol):
    """A graph of operators (`SubGraphT`)."""

    operators: list[TfliteOperator]
    tensors: Sequence[TfliteTensor]
    inputs: Sequence[int]
    outputs: MutableSequence[int]


class TfliteModel(Protocol):
    """A model (`ModelT`)."""

    operatorCodes: Sequence[TfliteOperatorCode]
    subgraphs: Sequence[TfliteGraph]
    signatureDefs: MutableSequence[object]

    def Pack(self, builder: object) -> int: ...


class TfliteModelClass(Protocol):
    """The class of models (`ModelT` itself)."""

    def InitFromPackedBuf(self, content: bytearray, position: int) -> TfliteModel: ...


class TfliteOperatorTypes(Protocol):
    """The numbers of built-in operators by name (`BuiltinOperator`)."""

    CUSTOM: int


class TfliteSchema(Protocol):
    """The module of generated classes."""

    ModelT: TfliteModelClass
    BuiltinOperator: TfliteOperatorTypes
    TensorType: object
