"""LSTM layers as one operator: right in every call, any batch and each kernel set, in all precisions that have it."""

import keras
import numpy as np
import pytest
from ai_edge_litert import interpreter as litert
from recurrent_truth import recurrent

import kexport
from kexport.bundle.precision import usual_decibels
from kexport.runtimes.files import tflite
from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(8)
X = RNG.normal(size=(3, 6, 4)).astype("float32")
LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def _bytes(model, tmp_path, precision="float32"):
    built = kexport.build(model, tmp_path / "bundle", formats=["tflite"], precision=precision)
    assert built.passed, [check for check in built.report.checks if not check.passed]
    (artifact,) = (each for each in built.manifest.artifacts if each.precision == precision)
    return (built.path / artifact.path).read_bytes()


def _operators(content):
    model = tflite.parse(content)
    names = tflite.numbered(tflite.schema().BuiltinOperator)
    return [names[tflite.number(model.operatorCodes[each.opcodeIndex])] for each in model.subgraphs[0].operators]


def _called(interpreter, x):
    """A call as any program makes it: nothing resets a state."""
    index = interpreter.get_input_details()[0]["index"]
    if tuple(interpreter.get_input_details()[0]["shape"]) != x.shape:
        interpreter.resize_tensor_input(index, x.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(index, x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _interpreter(content, kernels="AUTO"):
    made = litert.Interpreter(model_content=content, experimental_op_resolver_type=litert.OpResolverType[kernels])
    made.allocate_tensors()
    return made


def _random(model):
    for weight in model.weights:
        weight.assign(RNG.normal(0, 0.4, weight.shape))
    return model


@pytest.fixture(scope="module")
def bidirectional():
    """Two layers, both in two directions, and the same inputs."""
    inputs = keras.Input((6, 4), name="x")
    inner = keras.layers.Bidirectional(keras.layers.LSTM(8, return_sequences=True, name="wide"))(inputs)
    return _random(
        keras.Model(
            inputs,
            keras.layers.Dense(3, name="dense")(keras.layers.Bidirectional(keras.layers.LSTM(5, name="narrow"))(inner)),
        )
    )


@pytest.fixture(scope="module")
def files(bidirectional, tmp_path_factory):
    return {name: _bytes(bidirectional, tmp_path_factory.mktemp(name), name) for name in ("float32", "dynamic", "int8")}


@pytest.mark.parametrize("precision", ["float32", "dynamic", "int8"])
@pytest.mark.parametrize("kernels", ["AUTO", "BUILTIN_REF"])
def test_every_call_starts_anew_whatever_the_batch_of_the_one_before(files, bidirectional, precision, kernels):
    content = files[precision]
    assert _operators(content).count(LSTM) == 4
    used = _interpreter(content, kernels)
    for count in (1, 3, 3, 2, 1, 1):
        x = X[:count]
        first = _called(_interpreter(content, kernels), x)
        assert np.array_equal(_called(used, x), first)
        assert np.array_equal(_called(used, x), first)
        truth = np.asarray(bidirectional(x))
        if precision == "float32":
            assert_close(first, truth, ulps=64, scale=1)
        else:
            noise = np.square(first - truth).mean() / np.square(truth).mean()
            assert -10 * np.log10(noise) > usual_decibels(precision)


def test_an_int8_file_computes_in_integers_alone(files):
    types = tflite.numbered(tflite.schema().TensorType)
    (graph,) = tflite.parse(files["int8"]).subgraphs
    names = _operators(files["int8"])
    for name, operator in zip(names, graph.operators, strict=True):
        if name not in ("QUANTIZE", "DEQUANTIZE"):
            assert "FLOAT32" not in {types[graph.tensors[index].type] for index in operator.outputs}
        if name == LSTM:
            told = [graph.tensors[index].quantization for index in (operator.outputs[0], operator.inputs[18])]
            assert len({(float(each.scale[0]), int(each.zeroPoint[0])) for each in told}) == 1


def test_a_call_without_the_zeros_remembers_the_one_before(files, bidirectional):
    """What the file is spared: without its operators that set the states, the second call differs."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(files["float32"]))
    (graph,) = model.subgraphs
    graph.operators = [each for name, each in zip(_operators(files["float32"]), graph.operators, strict=True)
                       if name != "SELECT_V2"]  # fmt: skip
    interpreter = _interpreter(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))
    first, second = _called(interpreter, X[:1]), _called(interpreter, X[:1])
    assert_close(first, np.asarray(bidirectional(X[:1])), ulps=64, scale=1)
    assert np.abs(second - first).max() > 1e-3


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("settings", [{}, {"use_bias": False}, {"go_backwards": True}, {"unroll": True}])
def test_a_layer_is_one_operator_and_computes_what_keras_does(exported, whole, settings):
    layer = keras.layers.LSTM(5, return_sequences=whole, **settings)
    inputs = keras.Input((6, 4))
    model = _random(keras.Model(inputs, layer(inputs)))
    outputs, _ = recurrent(layer, X)
    results, operators = exported(model, "tflite", X)
    assert sum(count for name, count in operators.items() if name.startswith(LSTM)) == 1
    assert not any(name.startswith("WHILE") for name in operators)
    for (value,) in results:
        assert_close(value, outputs if whole else outputs[:, -1], ulps=32, scale=1)


def test_a_fixed_batch_and_a_dynamic_length_are_kept(exported):
    layer = keras.layers.LSTM(5)
    inputs = keras.Input(batch_shape=(3, None, 4))
    model = _random(keras.Model(inputs, layer(inputs)))
    outputs, _ = recurrent(layer, X)
    results, operators = exported(model, "tflite", X)
    assert sum(count for name, count in operators.items() if name.startswith(LSTM)) == 1
    for (value,) in results:
        assert_close(value, outputs[:, -1], ulps=32, scale=1)


@pytest.mark.parametrize("kind", ["mask", "initial state", "state of the cell", "activation", "behind a loop"])
def test_what_the_operator_does_not_compute_keeps_its_loop(exported, kind):
    inputs, others, given = keras.Input((6, 4)), [], []
    layer = keras.layers.LSTM(
        5, return_state=kind == "state of the cell", activation="relu" if kind == "activation" else "tanh"
    )
    mask, state, x = None, None, inputs
    if kind == "mask":
        given = [RNG.random((3, 6)) > 0.3]
        mask, others = given[0], [keras.Input((6,), dtype="bool")]
    if kind == "initial state":
        given = [RNG.normal(size=(3, 5)).astype("float32") for _ in range(2)]
        state, others = given, [keras.Input((5,)), keras.Input((5,))]
    before = keras.layers.GRU(4, return_sequences=True)
    if kind == "behind a loop":
        x = before(inputs)
    output = layer(x, mask=others[0] if mask is not None else None, initial_state=others if state else None)
    model = _random(keras.Model([inputs, *others], output))
    outputs, states = recurrent(layer, recurrent(before, X)[0] if kind == "behind a loop" else X, state, mask)
    results, operators = exported(model, "tflite", X, *given)
    assert not any(name.startswith(LSTM) for name in operators)
    for values in results:
        wanted = [outputs[:, -1], *states] if kind == "state of the cell" else [outputs[:, -1]]
        for value, truth in zip(values, wanted, strict=True):
            assert_close(value, truth, ulps=32, scale=max(1, np.abs(truth).max()))


def test_weights_of_float16_keep_the_loop_where_the_batch_may_change(bidirectional, tmp_path):
    assert LSTM not in _operators(_bytes(bidirectional, tmp_path, "float16"))


def test_an_int8_file_may_keep_a_layer_in_float(bidirectional, tmp_path):
    built = kexport.build(bidirectional, tmp_path / "mixed", formats=["tflite"], precision="int8", keep=["dense"])
    assert built.passed


def test_an_lstm_may_be_kept_in_float_by_its_name(tmp_path):
    x = keras.Input((6, 4), name="x")
    wide = keras.layers.LSTM(8, return_sequences=True, name="wide")(x)
    model = _random(keras.Model(x, keras.layers.LSTM(5, name="narrow")(wide)))
    built = kexport.build(model, tmp_path / "mixed", formats=["tflite"], precision="int8", keep=["narrow"])
    assert built.passed
    small = next(each for each in built.manifest.artifacts if each.precision == "int8")
    assert small.float_operators is not None
    assert (LSTM, "layer 'narrow' (LSTM)") in small.float_operators
    assert {layer for _, layer in small.float_operators} == {"layer 'narrow' (LSTM)"}


@pytest.mark.parametrize(("steps", "weights", "bias"), [(6, 0.1, 0.0), (100, 0.1, 5.0)], ids=["small", "large"])
def test_cells_of_any_size_are_computed_in_int8(tmp_path, steps, weights, bias):
    """The kernel has no hyperbolic tangent of cells that stay below a half, or that grow beyond 64."""
    x = keras.Input((steps, 4), name="x")
    model = keras.Model(x, keras.layers.LSTM(5, return_sequences=True, name="lstm")(x))
    rng = np.random.default_rng(0)
    for weight in model.weights:
        mean = bias if weight.name == "bias" else 0.0
        weight.assign(rng.normal(mean, weights, weight.shape))
    built = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int8")
    assert built.passed
