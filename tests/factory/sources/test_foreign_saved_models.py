"""SavedModels that neither Keras 3 nor kexport wrote: several functions, tables, TF1, the optimizers of Keras 2."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import kexport
from kexport.errors import ExportError, ModelError, UsageError
from kexport.factory import sources
from kexport.factory.trace.program import trace
from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


class Coder(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(X[:4, :3])

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def encode(self, x):
        return {"code": tf.tanh(x @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), name="code")])
    def decode(self, code):
        return {"x": code @ tf.transpose(self.kernel)}


def test_a_function_is_chosen_by_name_and_the_only_one_needs_none(tmp_path):
    module = Coder()
    tf.saved_model.save(module, tmp_path / "two", signatures={"encode": module.encode, "decode": module.decode})
    found = sources.find(str(tmp_path / "two"), {})
    with pytest.raises(ModelError, match=r"no signature 'serving_default'(.|\n)*encode, decode(.|\n)*--signature NAME"):
        found.load()
    with pytest.raises(ModelError, match=r"did you mean encode"):
        found.with_signature("encoder").load()
    chosen = found.with_signature("decode")
    assert chosen.name == "two_decode"
    assert [spec.name for spec in trace(chosen.load()).signature.outputs] == ["x"]
    tf.saved_model.save(module, tmp_path / "one", signatures={"encode": module.encode})
    assert [spec.name for spec in trace(sources.find(str(tmp_path / "one"), {}).load()).signature.outputs] == ["code"]
    with pytest.raises(UsageError, match="only a SavedModel has signatures"):
        sources.find("scaled", {}).with_signature("encode")


@pytest.mark.parametrize("child", [-1, 0])
def test_a_folder_whose_objects_are_not_what_they_should_be_is_refused(tmp_path, child):
    module = Coder()
    tf.saved_model.save(module, tmp_path / "m", signatures={"encode": module.encode})
    file = tmp_path / "m" / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for node in message.meta_graphs[0].object_graph_def.nodes:
        for reference in node.children:
            reference.node_id = child
    file.write_bytes(message.SerializeToString())
    with pytest.raises(ModelError, match="cannot be loaded as a SavedModel"):
        sources.find(str(tmp_path / "m"), {}).load()


@pytest.mark.parametrize("vocabulary", ["constants", "a file"])
def test_tables_and_their_files_go_into_every_format(tmp_path, vocabulary):
    keys = tf.constant([10, 20, 77], tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([0, 1, 2], tf.int64))
    if vocabulary == "a file":
        (tmp_path / "words.txt").write_text("10\n20\n77\n")
        index, line = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
        initializer = tf.lookup.TextFileInitializer(str(tmp_path / "words.txt"), tf.int64, line, tf.int64, index)
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(initializer, -1)
    module.rows = tf.Variable(X[:4])

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int64, name="key")])
    def serve(key):
        return {"row": tf.gather(module.rows, module.table.lookup(key) + 1)}

    tf.saved_model.save(module, str(tmp_path / "s"), signatures={"serving_default": serve})
    bundle = kexport.build(tmp_path / "s", tmp_path / "b", domain={"key": "choice(10, 20, 77, 5)"})
    assert bundle.passed, bundle.report
    for runtime in ("onnxruntime", "litert", "saved_model"):
        rows = kexport.load(bundle.path, runtime)(np.array([77, 5, 10]))
        assert_close(rows, X[[3, 0, 1]])


def test_a_placeholder_of_tf1_that_no_signature_feeds_has_its_default(tmp_path):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 4), name="x")
        keep = v1.placeholder_with_default(0.5, (), name="keep_prob")
        y = tf.matmul(x * keep, v1.get_variable("w", initializer=X[:4, :3]))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "s"), {"x": x}, {"y": y})
    bundle = kexport.build(tmp_path / "s", tmp_path / "b", formats=["onnx"])
    assert bundle.passed, bundle.report
    assert_close(kexport.load(bundle.path)(X), X.astype("float64") * 0.5 @ X[:4, :3])


def test_the_slots_of_an_optimizer_whose_class_is_not_here_are_left_out(tmp_path):
    module = Coder()
    module.moment = tf.Variable(tf.zeros((4, 3)))
    module.optimizer = tf.Module()
    tf.saved_model.save(module, tmp_path / "s", signatures=module.encode)
    file, message = tmp_path / "s" / "saved_model.pb", saved_model_pb2.SavedModel()
    message.ParseFromString(file.read_bytes())
    nodes = message.meta_graphs[0].object_graph_def.nodes
    child = {each.local_name: each.node_id for each in nodes[0].children}
    optimizer = nodes[child["optimizer"]]
    optimizer.user_object.identifier = "optimizer"
    optimizer.slot_variables.add(
        original_variable_node_id=child["kernel"], slot_name="m", slot_variable_node_id=child["moment"]
    )
    file.write_bytes(message.SerializeToString())
    with pytest.raises(AttributeError, match="add_slot"):
        tf.saved_model.load(str(tmp_path / "s"))
    served = sources.find(tmp_path / "s", {}).load()
    (code,) = trace(served).interface.run(served, [X])
    assert_close(code, np.tanh(X.astype("float64") @ X[:4, :3]))
    report = kexport.compare(tmp_path / "s", tmp_path / "s", search="20")
    assert report.passed


_TABLE_IN_THE_GRAPH = """
import sys
import tensorflow.compat.v1 as v1
folder, dtype, *keys = sys.argv[1:]
with v1.Graph().as_default(), v1.Session() as session:
    x = v1.placeholder(v1.as_dtype(dtype), [None, 1], name="x")
    given = v1.constant(keys if dtype == "string" else [int(key) for key in keys], x.dtype)
    entries = v1.lookup.KeyValueTensorInitializer(given, v1.range(1, len(keys) + 1))
    rows = v1.get_variable("rows", initializer=[[3.0], [1.0], [4.0], [1.5]])
    y = v1.gather(rows, v1.lookup.StaticHashTable(entries, 0).lookup(x)[:, 0])
    session.run(v1.global_variables_initializer())
    init = v1.no_op() if "unfilled" in folder else v1.tables_initializer()
    v1.saved_model.simple_save(session, folder, {"x": x}, {"y": y}, legacy_init_op=init)
"""


def _tables_of_tf1(folder, dtype, *keys):
    command = [sys.executable, "-c", _TABLE_IN_THE_GRAPH, folder, dtype, *map(str, keys)]
    subprocess.run(command, check=True, capture_output=True)
    return str(folder)


def test_a_table_that_a_graph_of_tf1_makes_itself_goes_into_every_format(tmp_path):
    bundle = kexport.build(_tables_of_tf1(tmp_path / "tf1", "int64", 10, 20, 77), tmp_path / "b")
    assert bundle.passed, bundle.report
    assert bundle.manifest.inputs.texts["x"] == "choice(10, 11, 20, 21, 77)"
    for runtime in ("onnxruntime", "litert", "saved_model"):
        assert_close(kexport.load(bundle.path, runtime)(np.array([[77], [5], [10]])), [[1.5], [3.0], [1.0]])


def test_texts_in_a_table_of_tf1_are_what_its_goldens_hold_and_tflite_is_left_out_as_its_hint_says(tmp_path):
    folder = _tables_of_tf1(tmp_path / "tf1", "string", "ulm", "kiel")
    with pytest.raises(ExportError, match=r"turn text into numbers(.|\n)*\(formats=\['saved_model'\]\)"):
        kexport.build(folder, tmp_path / "b", formats=["tflite"])
    bundle = kexport.build(folder, tmp_path / "b", formats=["saved_model", "onnx"])
    assert bundle.passed, bundle.report
    assert bundle.manifest.inputs.texts["x"].startswith("choice('kiel', 'ulm', ")


def test_a_table_of_tf1_that_nothing_fills_is_refused_by_name(tmp_path):
    folder = _tables_of_tf1(tmp_path / "unfilled", "int64", 10, 20)
    with pytest.raises(ModelError, match=r"'hash_table' of the SavedModel is empty(.|\n)*legacy_init_op"):
        sources.find(folder, {}).load()


class Quantised(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.qint8, name="x")])
    def read(self, x):
        return {"y": tf.quantization.dequantize(x, -1.0, 1.0)}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def write(self, x):
        return {"y": tf.quantization.quantize(x, -1.0, 1.0, tf.qint8).output}


@pytest.mark.parametrize(("signature", "name"), [("read", "x"), ("write", "y")])
def test_quantised_types_in_a_signature_are_refused_in_words(kexport, tmp_path, signature, name):
    tf.saved_model.save(module := Quantised(), tmp_path / "model", signatures=getattr(module, signature))
    for command in (("build", "model"), ("inspect", "model"), ("compare", "model", "model")):
        told = kexport(*command)
        assert told.returncode == 2
        assert f"{name!r} has numbers of type qint8, which no array holds" in told.stderr
        assert "Traceback" not in told.stderr


def test_an_output_without_elements_is_right_in_tflite(tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec((None, 4), name="x")
    module.f = tf.function(lambda x: {"y": x * 2.0, "z": tf.zeros([0, 3])}, input_signature=[spec])
    tf.saved_model.save(module, tmp_path / "m", signatures=module.f)
    bundle = kexport.build(tmp_path / "m", tmp_path / "b", formats=["tflite"])
    assert bundle.report.passed
    assert bundle.signature.outputs[1].shape == (0, 3)


_VARIABLES_IN_THE_GRAPH = """
import sys
import tensorflow.compat.v1 as v1
folder, changes = sys.argv[1:]
with v1.Graph().as_default(), v1.Session() as session:
    x = v1.placeholder("float32", [None, 2], name="x")
    keep = v1.placeholder_with_default(v1.constant(0.5), [], name="keep")
    kernel = v1.get_variable("kernel", initializer=[[3.0, -1.0], [4.0, 1.5]], use_resource=False)
    shift = v1.get_variable("shift", initializer=[1.0, 2.0], use_resource=True)
    used = v1.assign_add(kernel, v1.ones([2, 2])) if changes == "changed" else kernel
    y = v1.nn.relu(x @ used) * keep + shift
    session.run(v1.global_variables_initializer())
    v1.saved_model.simple_save(session, folder, {"x": x}, {"given": x, "kernel": v1.identity(used), "y": y})
"""


def _variables_of_tf1(folder, changes=""):
    subprocess.run([sys.executable, "-c", _VARIABLES_IN_THE_GRAPH, folder, changes], check=True, capture_output=True)
    return folder


def test_a_variable_that_a_graph_of_tf1_holds_by_reference_goes_into_every_format(tmp_path):
    bundle = kexport.build(_variables_of_tf1(tmp_path / "tf1"), tmp_path / "b")
    assert bundle.passed, bundle.report
    x = np.array([[1.0, 2.0], [-1.0, 0.5]], "float32")
    kernel = np.array([[3.0, -1.0], [4.0, 1.5]], "float32")
    for runtime in ("onnxruntime", "litert", "saved_model"):
        outputs = kexport.load(bundle.path, runtime)({"x": x})
        assert_close(outputs["y"], np.maximum(x @ kernel, 0) * np.float32(0.5) + np.array([1.0, 2.0], "float32"))
        assert_close(outputs["kernel"], kernel)


def test_a_signature_of_tf1_that_changes_a_variable_is_refused_by_its_name(tmp_path):
    folder = _variables_of_tf1(tmp_path / "tf1", "changed")
    with pytest.raises(ModelError, match=r"changes the variable 'kernel' of TF1(.|\n)*AssignAdd"):
        sources.find(folder, {}).load()


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        (tf.RaggedTensorSpec([None, None], tf.int32), "values and row splits of a ragged tensor"),
        (tf.SparseTensorSpec([None, 4], tf.float32), "indices, values and shape of a sparse tensor"),
    ],
    ids=["ragged", "sparse"],
)
def test_a_function_named_serve_of_a_tensor_that_is_not_dense_is_refused_with_a_way_out(tmp_path, spec, parts):
    module = tf.Module()

    @tf.function(input_signature=[spec])
    def serve(x):
        dense = tf.sparse.to_dense(x) if isinstance(x, tf.SparseTensor) else x.to_tensor()
        return {"y": tf.ensure_shape(dense, (None, 4)) * 2}

    module.serve = serve  # as Keras names the function that it exports
    tf.saved_model.save(module, tmp_path / "m", signatures=serve)
    with pytest.raises(ModelError, match=rf"{parts}(.|\n)*dense tensors that makes it inside"):
        kexport.build(tmp_path / "m", tmp_path / "b")


@pytest.mark.parametrize(
    ("scope", "way_out"),
    [("prune_low_magnitude_d", r"strip_pruning\(model\)"), ("cluster_d", r"strip_clustering\(model\)")],
)
def test_wrappers_for_training_in_a_saved_model_are_told_with_what_takes_them_off(tmp_path, scope, way_out):
    """All that it tells of them is the names of their operations, and that they assign to weights."""
    module = tf.Module()
    module.kernel, module.mask = tf.Variable(X[:4]), tf.Variable(np.sign(X[:4]))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def serve(x):
        with tf.name_scope(f"sequential/{scope}"):
            return {"y": x @ module.kernel.assign(module.kernel * module.mask)}

    tf.saved_model.save(module, tmp_path / "pruned", signatures=serve)
    with pytest.raises(ExportError, match=rf"pruned or clustered(.|\n)*{way_out}"):
        kexport.build(str(tmp_path / "pruned"), tmp_path / "b", formats=["onnx"])
