from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kexport.bundle.folder import Bundle
from kexport.errors import ArtifactError
from kexport.runtimes import get
from kexport.runtimes.files.tflite import parse
from kexport.runtimes.soundness import require_sound_tflite

REFERENCES = Path(__file__).parents[3] / "artifacts" / "reference"
LOWPASS = REFERENCES / "lowpass" / "model.tflite"


def changed(tmp_path: Path, change: Callable[..., object]) -> Path:
    """The model of `lowpass` after a change to its tables."""
    model = parse(LOWPASS.read_bytes())
    change(model.subgraphs[0], model)
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "model.tflite"
    path.write_bytes(builder.Output())
    return path


@pytest.mark.parametrize("name", ["lowpass", "regularized", "scaled"])
def test_a_file_that_was_built_is_sound(name: str) -> None:
    require_sound_tflite(REFERENCES / name / "model.tflite")


def test_the_sizes_of_a_single_number_may_be_an_empty_list(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 2, 2, 2, 2))])  # of so many axes, sizes are broadcast apart
    def chosen(x: tf.Tensor) -> tf.Tensor:
        return tf.where(tf.reduce_sum(x, -1, keepdims=True) < 1.0, 2.0, x)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([chosen.get_concrete_function()])
    path = tmp_path / "model.tflite"
    path.write_bytes(converter.convert())
    names = [operator.builtinCode for operator in parse(path.read_bytes()).operatorCodes]
    assert 145 in names  # BROADCAST_ARGS
    require_sound_tflite(path)


def test_a_model_that_is_packed_again_is_sound(tmp_path: Path) -> None:
    require_sound_tflite(changed(tmp_path, lambda graph, model: None))


CHANGES: dict[str, tuple[Callable[..., object], str]] = {
    "a tensor that is not there": (lambda g, m: g.operators[0].inputs.__setitem__(0, 99), "an input of operator 0"),
    "a gap among the inputs": (lambda g, m: g.operators[0].inputs.__setitem__(0, -1), "left out"),
    "a result that is not there": (lambda g, m: g.operators[0].outputs.__setitem__(0, -1), "an output of operator 0"),
    "an operator without inputs": (lambda g, m: setattr(g.operators[0], "inputs", []), "the inputs of operator 0"),
    "the wrong kernel": (lambda g, m: setattr(m.operatorCodes[0], "builtinCode", 102), "(SPLIT_V)"),
    "a code that is not there": (lambda g, m: setattr(g.operators[0], "opcodeIndex", 44), "operator code"),
    "a buffer that is not there": (lambda g, m: setattr(g.tensors[0], "buffer", 77), "the buffer of tensor 0"),
    "a type that is not there": (lambda g, m: setattr(g.tensors[0], "type", 99), "the type of tensor 0"),
    "a constant input": (lambda g, m: give(g, m, [constant(g, m)]), "which has a value"),
    "a result as input": (lambda g, m: give(g, m, list(g.outputs)), "not yet computed"),
    "an output that none computes": (lambda g, m: setattr(g, "operators", g.operators[:-1]), "never computed"),
    "operators in the wrong order": (lambda g, m: g.operators.reverse(), "not yet computed"),
    "weights that are too short": (lambda g, m: shorten(g, m), "the data of tensor"),
    "a size below zero": (lambda g, m: setattr(g.tensors[0], "shape", [1, -7]), "the shape of tensor 0"),
    "a huge size": (lambda g, m: setattr(g.tensors[0], "shape", [2**30, 2**30]), "the shape of tensor 0"),
    "subgraphs in a circle": (lambda g, m: stacked(m, [1, 2, 1]), "[1, 2] run each other in a circle"),
    "subgraphs in subgraphs": (lambda g, m: stacked(m, [*range(1, 1500), 1499]), "more than 64 deep"),
    "a signature of nothing": (lambda g, m: setattr(m.signatureDefs[0], "subgraphIndex", 5), "of a signature"),
}


def constant(graph: object, model: object) -> int:
    """A tensor of the graph that has data."""
    tensors = graph.tensors  # type: ignore[attr-defined]
    return next(i for i, t in enumerate(tensors) if model.buffers[t.buffer].data is not None)  # type: ignore[attr-defined]


def give(graph: object, model: object, inputs: list[int]) -> None:
    """Make other tensors the inputs, which no signature names then."""
    graph.inputs, model.signatureDefs = inputs, []  # type: ignore[attr-defined]


def shorten(graph: object, model: object) -> None:
    """Take the last byte of a constant."""
    tensor = graph.tensors[constant(graph, model)]  # type: ignore[attr-defined]
    buffer = model.buffers[tensor.buffer]  # type: ignore[attr-defined]
    buffer.data = buffer.data[:-1]


def stacked(model: object, targets: list[int]) -> None:
    """Let each subgraph run another one; the last one runs nothing."""
    graphs = model.subgraphs  # type: ignore[attr-defined]
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.CALL_ONCE, 127
    model.operatorCodes.append(code)  # type: ignore[attr-defined]
    number = len(model.operatorCodes) - 1  # type: ignore[attr-defined]
    graphs += [schema.SubGraphT() for _ in range(max(targets))]
    for index, target in enumerate(targets):
        if index == len(graphs) - 1 == target:
            continue
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = number, [], []
        operator.builtinOptionsType = schema.BuiltinOptions.CallOnceOptions
        operator.builtinOptions = schema.CallOnceOptionsT()
        operator.builtinOptions.initSubgraphIndex = target
        graphs[index].operators = [*(graphs[index].operators or []), operator]


@pytest.mark.parametrize("name", CHANGES)
def test_a_part_that_would_crash_the_runtime_is_refused_by_name(name: str, tmp_path: Path) -> None:
    change, place = CHANGES[name]
    with pytest.raises(ArtifactError, match="is not a sound TFLite file") as raised:
        require_sound_tflite(changed(tmp_path, change))
    assert place in str(raised.value)


@pytest.mark.parametrize("length", [0, 3, 8, 40, 600])
def test_a_file_that_was_cut_is_refused(length: int, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(LOWPASS.read_bytes()[:length])
    with pytest.raises(ArtifactError):
        require_sound_tflite(path)


@pytest.mark.parametrize("runtime", ["litert", "litert_reference"])
def test_the_runtime_is_not_asked_about_an_unsound_file(runtime: str, tmp_path: Path) -> None:
    path = changed(tmp_path, CHANGES["a result as input"][0])
    with pytest.raises(ArtifactError, match="not a sound TFLite file"):
        get(runtime).open(path, Bundle.open(LOWPASS.parent).signature)


def test_words_that_are_set_at_random_are_refused_or_read_without_another_error(tmp_path: Path) -> None:
    content, path, refused = LOWPASS.read_bytes(), tmp_path / "model.tflite", 0
    draw = np.random.default_rng(7)
    for _ in range(300):
        mutated = bytearray(content)
        at = 4 * int(draw.integers(len(content) // 4))
        mutated[at : at + 4] = draw.choice([b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x04\0\0\0", b"\xff\xff\xff\xff"])
        path.write_bytes(mutated)
        try:
            require_sound_tflite(path)
        except ArtifactError:
            refused += 1
    assert 0 < refused < 300
