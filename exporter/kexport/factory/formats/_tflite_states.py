"""The states of TFLite's LSTM operators, which a file sets to zero before each of them.

The operator keeps its states in variables, from one call to the next: a layer of Keras starts anew in each. Three
operators write the zeros, or the integers that stand for them, with the batch of the layer's input: of the input's
first step, a number a sample is compared with itself, and whatever comes of it, zeros are selected. The variables are
then results of operators like any other, with memory of their own, and have a batch that is as dynamic as the input's.
Source: `lstm_eval::EvalFloat` and `ArenaPlanner` of LiteRT, which give variables memory for the whole life of the
interpreter; seen with ai-edge-litert 2.3.0, with its reference kernels, and with TensorFlow 2.21.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, operator_code, packed, parsed
from kexport.runtimes.files import tflite
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_dataflow import check_dataflow
from kexport.runtimes.soundness.tflite_file import ModelReader

_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_STATES = (18, 19)  # places of the output's and the cell's among the operands
_HIDDEN = 4  # the place among the intermediates of what the kernel scales its output by
_CALL, _FUSED = b"PartitionedCall", b"tfl."  # in names of the state, and of the output
_CELL = (1.0, 64 * (1 - 2**-15))  # the least and the most that a cell of int8 reaches
_WIDENING = ("DEQUANTIZE", "DENSIFY")
#: Operators whose integers are those of their first operand.
_MOVING = ("REVERSE_V2", "STRIDED_SLICE", "SLICE", "RESHAPE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS", "GATHER")
_DTYPES = {"FLOAT32": "float32", "INT8": "int8", "INT16": "int16"}


def start_at_zero(model: FlatModel) -> bool:
    """Have each LSTM operator start with states of zero in every call; returns whether there is any."""
    names = tflite.numbered(tflite.schema().BuiltinOperator)
    found = False
    for graph in model.subgraphs:
        lstms = [each for each in graph.operators or ()
                 if names.get(tflite.number(model.operatorCodes[each.opcodeIndex])) == _LSTM]  # fmt: skip
        if not lstms:
            continue
        found = True
        for each in lstms:
            _name_by_layer(graph, each)
        graph.operators = [*_led_by(lstms, model, graph)]
        states = {int(each.inputs[place]) for each in lstms for place in _STATES}
        operators: list[Any] = []
        inserting = _Inserting(model, graph)
        for operator in graph.operators:
            if names.get(tflite.number(model.operatorCodes[operator.opcodeIndex])) in _MOVING:
                operators += inserting.rescaled(operator)
            if any(operator is each for each in lstms):
                _give_one_scale(graph, operator)
                operators += inserting.before(operator)
            elif states & set(map(int, operator.outputs)):
                continue  # of float16, the converter widens a constant of one sample into the state
            operators.append(operator)
        graph.operators = operators
    return found


def _led_by(lstms: list[Any], model: FlatModel, graph: FlatGraph) -> list[Any]:
    """The operators of a graph, of which those that LSTM operators need come first.

    An interpreter that has met an operator whose result it can only lay out during the call plans the memory of all
    that follows anew in each call, but not that of states: where the batch has changed, the process crashes.
    Where the order of operators matters, those of variables, it stays.
    """
    if any("VAR" in kind or kind == "CALL_ONCE" for kind, _ in tflite.operators_of(model, graph)):
        return [*graph.operators]
    makers = {int(index): each for each in graph.operators for index in each.outputs}
    first, waiting = set[int](), [*lstms]
    while waiting:
        operator = waiting.pop()
        if id(operator) not in first:
            first.add(id(operator))
            waiting += [makers[int(index)] for index in operator.inputs if int(index) in makers]
    return sorted(graph.operators, key=lambda each: id(each) not in first)


def bound_cells(model: FlatModel) -> None:
    """Give the measured ranges of LSTM cells sizes that the int8 kernel has.

    It computes the hyperbolic tangent of a cell whose integers have 0 to 6 bits before the point, and nothing at all of
    others. Source: `ApplyTanh` of LiteRT's `portable_tensor_utils.cc`.
    """
    names = tflite.numbered(tflite.schema().BuiltinOperator)
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            if names.get(tflite.number(model.operatorCodes[operator.opcodeIndex])) == _LSTM:
                ranges = graph.tensors[int(operator.inputs[_STATES[1]])].quantization
                if ranges is not None and ranges.min is not None and ranges.max is not None:
                    reach = max(abs(float(ranges.min[0])), abs(float(ranges.max[0])))
                    bounded = float(np.clip(reach, *_CELL))
                    ranges.min, ranges.max = [-bounded], [bounded]


class UnfinishedError(Exception):
    """A file with LSTM operators that cannot be set to zero in each call: loops must do instead."""


def require_finishable(content: bytes) -> None:
    """Raise `UnfinishedError` where the states of a file's LSTM operators cannot be set.

    Where the input of one is laid out only during a call, its states cannot be set. And where the interpreter widens
    constants, as of float16, it does so once, into memory beside the states, which move when their batch changes.
    """
    model = parsed(content)
    if not start_at_zero(model):
        return
    try:
        reader = ModelReader(memoryview(packed(model)))
        for number, graph in enumerate(reader.subgraphs()):
            check_dataflow(graph, main=not number)
    except FlawError as error:
        raise UnfinishedError(str(error)) from None
    if _loses_constants(model):
        raise UnfinishedError("constants are widened")


def _loses_constants(model: FlatModel) -> bool:
    names = tflite.numbered(tflite.schema().BuiltinOperator)
    dynamic = widened = False
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            kind = names.get(tflite.number(model.operatorCodes[operator.opcodeIndex]))
            if kind == _LSTM:
                dynamic = dynamic or _is_dynamic(graph.tensors[int(operator.inputs[0])])
            elif kind in _WIDENING:
                given: Any = model.buffers[graph.tensors[int(operator.inputs[0])].buffer]
                widened = widened or given.data is not None
    return dynamic and widened


def _is_dynamic(tensor: Any) -> bool:
    """Whether the batch of a tensor is."""
    return tensor.shapeSignature is not None and int(tensor.shapeSignature[0]) < 0


def _name_by_layer(graph: FlatGraph, lstm: Any) -> None:
    """Name the output after the layer, as the converter names the state, but not what it fuses."""
    output, state = (graph.tensors[int(index)] for index in (lstm.outputs[0], lstm.inputs[_STATES[0]]))
    scope, called, _ = (state.name or b"").partition(_CALL)
    if called and (output.name or b"").startswith(_FUSED):
        output.name = scope.removesuffix(b"Stateful").removesuffix(b"/") + b"/lstm"


def _give_one_scale(graph: FlatGraph, lstm: Any) -> None:
    """Give state and hidden output of an int8 operator the scale of the output.

    The kernel writes the same integers to all of them. The quantiser gives an output that is concatenated the scale of
    the result, and forgets these.
    """
    if lstm.intermediates is not None and len(lstm.intermediates) > _HIDDEN:
        scale = graph.tensors[int(lstm.outputs[0])].quantization
        for index in (lstm.inputs[_STATES[0]], lstm.intermediates[_HIDDEN]):
            if graph.tensors[int(index)].type == graph.tensors[int(lstm.outputs[0])].type:
                graph.tensors[int(index)].quantization = scale


class _Inserting:
    """Operators to be inserted before others.

    Args:
        model: the file.
        graph: the graph of the operators.
    """

    def __init__(self, model: FlatModel, graph: FlatGraph) -> None:
        from tensorflow.lite.python import schema_py_generated as schema

        self._model, self._graph, self._schema = model, graph, schema

    def rescaled(self, moving: Any) -> list[object]:
        """What gives the operand of an operator that moves integers the scale of its result.

        The quantiser forgets it between an LSTM operator and a result that is concatenated.
        """
        given, result = (self._graph.tensors[int(each[0])] for each in (moving.inputs, moving.outputs))
        if given.type != self._schema.TensorType.INT8 or _scale(given) == _scale(result):
            return []
        copy = self._tensor(given.shape, given.type)
        self._graph.tensors[copy].shapeSignature = given.shapeSignature
        self._graph.tensors[copy].quantization = result.quantization
        operator = self._operator("QUANTIZE", [int(moving.inputs[0])], copy, self._schema.QuantizeOptionsT(), 2)
        moving.inputs = [copy, *map(int, moving.inputs[1:])]
        return [operator]

    def before(self, lstm: Any) -> list[object]:
        """The operators that set the states of an LSTM operator, in their order."""
        schema, given = self._schema, int(lstm.inputs[0])
        x = self._graph.tensors[given]
        dynamic = _is_dynamic(x)
        batch = 1 if dynamic else int(x.shape[0])
        part, same = (self._tensor((batch, 1), kind, dynamic) for kind in (x.type, schema.TensorType.BOOL))
        self._graph.tensors[part].quantization = x.quantization
        layer = self._graph.tensors[int(lstm.outputs[0])].name or b""
        self._graph.tensors[part].name, self._graph.tensors[same].name = layer + b"/step", layer + b"/same"
        corners = [self._constant(np.array(corner, np.int32)) for corner in ((0, 0, 0), (1, 1, 1), (1, 1, 1))]
        cut = schema.StridedSliceOptionsT()
        cut.beginMask, cut.endMask, cut.shrinkAxisMask = 1, 1, 2  # all samples, one step, one feature
        version = 1 if x.type == schema.TensorType.FLOAT32 else 2
        written: list[object] = [
            self._operator("STRIDED_SLICE", [given, *corners], part, cut, version),
            self._operator("EQUAL", [part, part], same, schema.EqualOptionsT(), version),
        ]
        for place in _STATES:
            index = int(lstm.inputs[place])
            state = self._graph.tensors[index]
            zero = self._constant(_zero(state), like=state)
            units = int(state.shape[1])
            state.shape, state.shapeSignature = [batch, units], [-1, units] if dynamic else None
            state.isVariable = True
            written.append(self._operator("SELECT_V2", [same, zero, zero], index, schema.SelectV2OptionsT()))
        return written

    def _tensor(self, shape: Iterable[int], kind: int, dynamic: bool = False, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer, tensor.hasRank = list(shape), kind, buffer, True
        if dynamic:
            tensor.shapeSignature = [-1, *tensor.shape[1:]]
        self._graph.tensors = [*self._graph.tensors, tensor]
        return len(self._graph.tensors) - 1

    def _constant(self, values: Array, like: Any = None) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._model.buffers = [*self._model.buffers, buffer]
        kind = self._schema.TensorType.INT32 if like is None else like.type
        index = self._tensor(values.shape, kind, buffer=len(self._model.buffers) - 1)
        if like is not None:
            self._graph.tensors[index].quantization = like.quantization
        return index

    def _operator(self, kind: str, inputs: list[int], output: int, options: Any, version: int = 1) -> object:
        schema = self._schema
        operator = schema.OperatorT()
        operator.opcodeIndex = operator_code(self._model, kind, version)
        operator.inputs, operator.outputs = inputs, [output]
        name = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, name), options
        return operator


def _scale(tensor: Any) -> tuple[float, int] | None:
    scales = tensor.quantization
    if scales is None or scales.scale is None or scales.zeroPoint is None:
        return None
    return float(scales.scale[0]), int(scales.zeroPoint[0])


def _zero(state: Any) -> Array:
    """What stands for zero in one sample of a state."""
    dtype = _DTYPES[tflite.numbered(tflite.schema().TensorType)[state.type]]
    _, point = _scale(state) or (0.0, 0)
    return np.full((1, int(state.shape[1])), point, dtype)
