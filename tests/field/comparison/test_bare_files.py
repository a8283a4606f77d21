"""What bare files hold beside tensors of one runtime: sequences, maps, foreign operators, weights beside them."""

from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import kexport
import onnx_models as models
from conftest import REFERENCE
from kexport.errors import BundleError, KexportError, UncheckedError
from kexport.field.inspection import describe
from kexport.runtimes.files import tflite

node = helper.make_node


def saved(path, nodes, outputs, domain="", inputs=None):
    inputs = inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])]
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    graph = helper.make_graph(nodes, "test", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def tensor(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])


def test_an_output_that_is_no_tensor_is_not_checked_and_the_others_are(tmp_path):
    nodes = [node("SequenceConstruct", ["x", "x"], ["s"]), node("Relu", ["x"], ["y"])]
    outputs = [helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None), tensor("y")]
    path = saved(tmp_path / "m.onnx", nodes, outputs)
    report = kexport.compare(path, path, search="20")
    assert report.exit_code == 3
    assert {check.output: check.ran for check in report.checks if check.kind == "parity"} == {"y": True, "s": False}
    (open_question,) = [check for check in report.checks if not check.ran]
    assert "seq(tensor(float)), computed by SequenceConstruct" in str(open_question.facts[0])
    assert describe(path).declaration.functions[0].foreign == {"s": "seq(tensor(float)), computed by SequenceConstruct"}


@pytest.mark.parametrize(
    ("nodes", "output"),
    [
        (
            [node("SequenceConstruct", ["x", "x"], ["s"])],
            helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None),
        ),
        (
            [node("Cast", ["x"], ["s"], to=TensorProto.BFLOAT16)],
            helper.make_tensor_value_info("s", TensorProto.BFLOAT16, ["n", 2]),
        ),
    ],
    ids=["sequence", "bfloat16"],
)
def test_where_no_output_is_a_tensor_of_numpy_nothing_is_checked(tmp_path, nodes, output):
    path = saved(tmp_path / "m.onnx", nodes, [output])
    report = kexport.compare(path, path, search="20")
    assert report.exit_code == 3
    assert [check.output for check in report.checks] == ["s"]
    assert "no tensor of a type that NumPy has" in str(report.checks[0].facts[0])


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 2.00002]], ids=["same", "other"])
@pytest.mark.parametrize("shape", [[2], [1, 2]])
def test_what_models_without_inputs_return_is_compared(tmp_path, values, shape):
    for name, each in (("one", [1.0, 2.0]), ("other", values)):
        constant = helper.make_tensor("c", TensorProto.FLOAT, shape, each)
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
        graph = helper.make_graph([node("Constant", [], ["y"], value=constant)], "test", [], outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / f"{name}.onnx")
    report = kexport.compare(tmp_path / "one.onnx", tmp_path / "other.onnx", search="20")
    assert report.passed is (values == [1.0, 2.0])
    assert [check.kind for check in report.checks] == ["signature", "parity"]


def test_random_numbers_without_inputs_are_told_to_be_random(tmp_path):
    nodes = [node("RandomNormal", [], ["y"], shape=[2])]
    graph = helper.make_graph(nodes, "test", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    report = kexport.compare(tmp_path / "m.onnx", tmp_path / "m.onnx", search="20")
    assert any("returns different outputs for the same inputs" in str(note) for note in report.notes)
    assert report.exit_code == 3


def test_a_tflite_file_that_sets_variables_is_compared_call_by_call(tmp_path):
    """A state is no noise: what differs after some calls differs."""
    import tensorflow as tf

    class Counter(tf.Module):
        def __init__(self, step):
            super().__init__()
            self.sum, self.step = tf.Variable(tf.zeros([2], tf.int32)), step

        @tf.function(input_signature=[tf.TensorSpec([2], tf.int32, name="x")])
        def function(self, x):
            self.sum.assign(self.sum.read_value() + tf.minimum(tf.abs(x), 1) * self.step)
            return {"y": tf.where(self.sum.read_value() > 6, 1, 0)}

    for name, step in (("one", 2), ("other", 1)):
        tf.saved_model.save(module := Counter(step), tmp_path / name, signatures=module.function)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / name))
        converter.experimental_enable_resource_variables = True
        (tmp_path / f"{name}.tflite").write_bytes(converter.convert())
    one, other = tmp_path / "one.tflite", tmp_path / "other.tflite"
    same, apart = kexport.compare(one, one, search="20"), kexport.compare(one, other, search="20")
    assert same.passed
    assert not apart.passed
    assert any("no search: the model keeps state" in str(note) for note in apart.notes)


def test_an_input_of_a_type_that_numpy_lacks_is_named(tmp_path):
    inputs = [helper.make_tensor_value_info("x", TensorProto.BFLOAT16, ["n", 2])]
    path = saved(tmp_path / "m.onnx", [node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)], [tensor("y")], inputs=inputs)
    with pytest.raises(UncheckedError, match=r"input 'x' of m\.onnx is no tensor of a type that NumPy has"):
        kexport.compare(path, path)


def test_an_input_that_is_no_tensor_is_named(tmp_path):
    inputs = [helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, ["n", 2])]
    path = saved(tmp_path / "m.onnx", [node("ConcatFromSequence", ["s"], ["y"], axis=0)], [tensor("y")], inputs=inputs)
    with pytest.raises(UncheckedError, match=r"input 's' of m\.onnx is no tensor"):
        kexport.compare(path, path)


def test_an_operator_that_the_runtime_lacks_is_named_and_leaves_the_comparison_open(tmp_path):
    path = saved(tmp_path / "m.onnx", [node("Frob", ["x"], ["y"], domain="com.acme")], [tensor("y")], "com.acme")
    with pytest.raises(UncheckedError, match=r"com\.acme:Frob"):
        kexport.compare(path, path)
    declaration = describe(path).declaration
    assert declaration.lacking == "com.acme:Frob"
    assert declaration.details["ops"] == {"com.acme:Frob": 1}


def test_a_custom_operator_of_a_tflite_file_is_named_and_leaves_the_comparison_open(tmp_path):
    model: Any = tflite.parse((REFERENCE / "lowpass" / "model.tflite").read_bytes())
    types: Any = tflite.schema()
    code, last = types.OperatorCodeT(), model.subgraphs[0].operators[-1]
    code.builtinCode = code.deprecatedBuiltinCode = types.BuiltinOperator.CUSTOM
    code.customCode = "Frobnicate"
    last.opcodeIndex, last.builtinOptionsType, last.builtinOptions = len(model.operatorCodes), 0, None
    model.operatorCodes.append(code)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path = tmp_path / "m.tflite"
    path.write_bytes(bytes(builder.Output()))
    report = kexport.compare(path, path)
    assert report.exit_code == 3
    assert any("unresolved custom op: Frobnicate" in str(fact) for check in report.checks for fact in check.facts)
    assert any(name.startswith("Frobnicate") for name in describe(path).declaration.details["ops"])  # type: ignore[attr-defined]


def test_weights_beside_an_onnx_file_count_for_its_digest_and_size(tmp_path):
    paths = []
    for name, scale in (("a", 1), ("b", 3)):
        (tmp_path / name).mkdir()
        path = models.linear(tmp_path / name / "m.onnx", scale * models.WEIGHTS)
        onnx.save(onnx.load(path), path, save_as_external_data=True, location="m.bin", size_threshold=0)
        paths.append(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    report = kexport.compare(*paths, search="20")
    assert report.exit_code == 1
    assert not any("the same bytes" in str(note) for note in report.notes)
    one, other = map(describe, paths)
    assert one.sha256 != other.sha256
    assert one.bytes == sum(file.stat().st_size for file in paths[0].parent.iterdir())


def recurrent(path, weights, name="batch"):
    """A layer whose state has its samples along axis 1, as PyTorch writes it."""
    r = np.random.default_rng(0)
    init = {"W": weights, "R": r.normal(size=(1, 16, 4)) * 0.3, "B": r.normal(size=(1, 32)) * 0.3}
    nodes = [
        node("Unsqueeze", ["x", "last"], ["x1"]),
        node("Transpose", ["x1"], ["x3"], perm=[1, 0, 2]),
        node("LSTM", ["x3", "W", "R", "B", "", "state"], ["", "new_state"], hidden_size=4),
    ]
    sizes = [1, name, 4]
    inputs = [("x", models.FLOAT, [name, "time"]), ("state", models.FLOAT, sizes)]
    weights = {key: value.astype("float32") for key, value in init.items()}
    return models.save(path, nodes, inputs, [("new_state", models.FLOAT, sizes)], last=np.array([2]), **weights)


def test_samples_may_be_counted_by_a_later_axis_of_a_state(tmp_path):
    weights = np.random.default_rng(1).normal(size=(1, 16, 1))
    one, other = recurrent(tmp_path / "a.onnx", weights), recurrent(tmp_path / "b.onnx", weights * 1.01, "N")
    report = kexport.compare(one, one, search="20")
    assert report.passed
    assert "axis 1 of input state counts the samples; it comes first here" in report.notes
    witness = tmp_path / "worst.npz"
    assert kexport.compare(one, other, search="20", witness=witness).exit_code == 1
    with np.load(witness) as worst:
        assert worst["state"].shape[::2] == (1, 4)
        assert worst["state"].shape[1] == worst["x"].shape[0]
    recorded = tmp_path / "recorded.npz"
    np.savez(recorded, x=np.ones((10, 20), "float32"), state=np.ones((1, 10, 4), "float32"))
    assert kexport.compare(one, one, search="20", samples=recorded).passed


def test_samples_may_be_counted_by_a_later_axis_without_a_name(tmp_path):
    """In a file that names no axis, as some converters write it, the axis is told by what the model takes."""
    weights = np.random.default_rng(1).normal(size=(1, 16, 1))
    paths = [recurrent(tmp_path / f"{name}.onnx", weights * scale) for name, scale in (("a", 1), ("b", 1.01))]
    for path in paths:
        model = onnx.load(path)
        for each in (*model.graph.input, *model.graph.output):
            for size in each.type.tensor_type.shape.dim:
                if size.dim_param:
                    size.ClearField("dim_param")
        onnx.save(model, path)
    report = kexport.compare(paths[0], paths[0], search="20")
    assert report.passed
    assert "axis 1 of input state counts the samples; it comes first here" in report.notes
    assert kexport.compare(*paths, search="20").exit_code == 1


def test_it_is_said_where_two_models_part(tmp_path):
    one = models.chain(tmp_path / "a.onnx", "Tanh")
    spread = [node("ReduceMax", ["x"], ["high"], axes=[1]), node("ReduceMin", ["x"], ["low"], axes=[1])]
    apart = [node("Sub", ["high", "low"], ["range"]), node("Cast", ["range"], ["any"], to=TensorProto.BOOL)]
    wrong = [node("Not", ["any"], ["silent"]), node("Cast", ["silent"], ["offset"], to=models.FLOAT)]
    end = [node("Tanh", ["x"], ["t"]), node("Add", ["t", "offset"], ["y"])]
    sizes = ("x", models.FLOAT, ["n", 4]), ("y", models.FLOAT, ["n", 4])
    other = models.save(tmp_path / "b.onnx", [*spread, *apart, *wrong, *end], [sizes[0]], [sizes[1]])
    report = kexport.compare(one, other, search="20")
    (failed,) = [check for check in report.checks if check.kind == "parity"]
    assert "every input that is not constant agrees" in str(failed.facts[-1])
    assert "zeros" in str(failed.facts[-1])


def test_an_output_that_never_varied_is_said(tmp_path):
    nodes = [node("Sub", ["x", "x"], ["zero"]), node("Cos", ["zero"], ["y"])]
    path = models.save(tmp_path / "a.onnx", nodes, [("x", models.FLOAT, ["n", 4])], [("y", models.FLOAT, ["n", 4])])
    report = kexport.compare(path, path, search="20")
    assert report.passed
    assert any("output y never varied: it was 1.0 for every input" in str(note) for note in report.notes)


def test_every_runtime_that_is_asked_for_is_taken_and_others_are_named():
    path = REFERENCE / "lowpass" / "model.tflite"
    report = kexport.compare(path, path, ["litert", "litert_reference"], search="20")
    assert [check.runtime for check in report.checks if check.kind == "parity"] == ["litert", "litert_reference"]
    report = kexport.compare(path, path, search="20")
    assert "litert_reference was not asked for: --runtime litert_reference compares in it" in report.notes
    mixed = kexport.compare(path.with_name("model.onnx"), path, ["litert", "litert_reference"], search="20")
    wanted = ["litert against onnxruntime", "litert_reference against onnxruntime"]
    assert [check.runtime for check in mixed.checks if check.kind == "parity"] == wanted


def test_operators_in_branches_are_counted(tmp_path):
    bodies = {
        f"{kind.lower()}_branch": helper.make_graph([node(operator, ["x"], ["b"])], kind, [], [tensor("b")])
        for kind, operator in (("then", "Sin"), ("else", "Cos"))
    }
    inputs = [tensor("x"), helper.make_tensor_value_info("c", TensorProto.BOOL, [])]
    path = saved(tmp_path / "m.onnx", [node("If", ["c"], ["y"], **bodies)], [tensor("y")], inputs=inputs)
    assert describe(path).declaration.details["ops"] == {"Cos": 1, "If": 1, "Sin": 1}


def test_quantised_inputs_are_drawn_over_their_range_and_say_what_they_stand_for(tmp_path):
    model: Any = tflite.parse((REFERENCE / "lowpass" / "model.tflite").read_bytes())
    types: Any = tflite.schema()
    graph = model.subgraphs[0]
    code, operator, whole = (types.OperatorCodeT(), types.OperatorT(), types.TensorT())
    code.builtinCode = code.deprecatedBuiltinCode = types.BuiltinOperator.DEQUANTIZE
    code.version = 2
    source = graph.tensors[graph.inputs[0]]
    whole.name, whole.shape, whole.shapeSignature = "q", source.shape, source.shapeSignature
    whole.type, whole.buffer, whole.hasRank = types.TensorType.INT8, 0, True
    whole.quantization = types.QuantizationParametersT()
    whole.quantization.scale, whole.quantization.zeroPoint = [0.5], [3]
    graph.tensors.append(whole)
    model.operatorCodes.append(code)
    operator.opcodeIndex, operator.inputs = len(model.operatorCodes) - 1, np.array([len(graph.tensors) - 1], np.int32)
    operator.outputs = np.array([graph.inputs[0]], np.int32)
    graph.operators.insert(0, operator)
    graph.inputs, model.signatureDefs = np.array([len(graph.tensors) - 1], np.int32), []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path = tmp_path / "m.tflite"
    path.write_bytes(bytes(builder.Output()))
    assert "stands for 0.5 x (value - 3)" in describe(path).declaration.functions[0].remarks["q"]
    report = kexport.compare(path, path, search="20")
    assert report.passed
    assert any("ints(-128, 128) is the default" in str(note) for note in report.notes)


def test_an_output_that_never_varied_tells_nothing_of_two_files(tmp_path):
    nodes = [node("Mul", ["x", "scale"], ["m"]), node("Sub", ["m", "offset"], ["d"]), node("Relu", ["d"], ["y"])]
    sizes = ("x", models.FLOAT, ["n", 4]), ("y", models.FLOAT, ["n", 4])
    for name, scale in (("a", 2), ("b", 3)):
        constants = {"scale": np.float32(scale), "offset": np.float32(9e5)}
        models.save(tmp_path / f"{name}.onnx", nodes, [sizes[0]], [sizes[1]], **constants)
    report = kexport.compare(tmp_path / "a.onnx", tmp_path / "b.onnx", search="20")
    (told,) = [check for check in report.checks if check.kind == "parity"]
    assert not told.ran
    assert "output y never varied: it was 0.0 for every input" in str(told.facts[0])
    assert "--samples" in str(told.facts[0])
    assert not any("identical" in str(note) for note in report.notes)
    seen = kexport.compare(tmp_path / "a.onnx", tmp_path / "b.onnx", search="20", domain={"x": "uniform(0, 9e5)"})
    assert [check.passed for check in seen.checks if check.kind == "parity"] == [False]
    assert all(check.ran for check in seen.checks)


def test_names_that_are_no_utf_8_are_shown(tmp_path):
    path = models.chain(tmp_path / "a.onnx", "Tanh")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("XY", 1))
    model.producer_name = "ZQ"
    content = model.SerializeToString()
    assert content.count(b"XY") == content.count(b"ZQ") == 1
    path.write_bytes(content.replace(b"XY", b"\xff\xfe").replace(b"ZQ", b"\xff\xfe"))
    said = describe(path).declaration.details
    assert said["producer"] == "\ufffd\ufffd"
    assert said["opset"] == {"ai.onnx": 17, "\ufffd\ufffd": 1}
    assert kexport.compare(path, path, search="20").passed


@pytest.mark.parametrize("location", ["w" * 300, "w/" * 3000 + "w"])
def test_weights_in_a_file_whose_name_is_too_long_are_refused(tmp_path, location):
    path = models.linear(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(external(location))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(KexportError, match=r"m\.onnx"):
        describe(path)


def external(location):
    tensor = TensorProto(name="w", data_type=models.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_weights_that_fill_no_disk_are_not_read(tmp_path):
    path = models.linear(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(external("w.bin"))
    path.write_bytes(model.SerializeToString())
    with (tmp_path / "w.bin").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BundleError, match=r"is too large: 1099511627[0-9]* bytes"):
        kexport.compare(path, path)


def test_a_damaged_tflite_file_keeps_no_state(tmp_path):
    """Whatever is wrong with a file, loading it tells."""
    content = (REFERENCE / "lowpass" / "model.tflite").read_bytes()
    path = tmp_path / "damaged.tflite"
    rng = np.random.default_rng(0)
    for length in (0, 3, 9, len(content) // 2, *[len(content)] * 40):
        damaged = np.frombuffer(content[:length], np.uint8).copy()
        damaged[rng.integers(0, max(length, 1), 8 if length else 0)] = 255
        path.write_bytes(damaged.tobytes())
        assert not tflite.keeps_state(path)


@pytest.mark.parametrize("taps", [300, 2], ids=["nothing shorter is taken", "all is"])
def test_sounds_longer_than_those_of_a_build_are_compared(tmp_path, taps):
    """The last tap of a filter, with holes or without, only meets sounds of 300 samples."""
    sound, result = ([(name, TensorProto.FLOAT, ["n", 1, size])] for name, size in (("x", "t"), ("y", "t_out")))

    def file(name, last):
        kernel = np.full((1, 1, taps), 0.1, "float32")
        kernel[..., -1] = last
        settings = {} if taps > 2 else {"dilations": [299], "pads": [0, 299]}
        return models.save(tmp_path / name, [node("Conv", ["x", "k"], ["y"], **settings)], sound, result, k=kernel)

    one, other = file("one.onnx", 0.1), file("other.onnx", 0.2)
    assert kexport.compare(one, one, search="20").passed
    assert kexport.compare(one, other, search="1").exit_code == 1
