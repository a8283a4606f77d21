"""Inputs that are looked up in a table, or compared with thresholds, are drawn from what the files hold."""

import numpy as np
import pytest
from onnx import TensorProto, helper, save

import kexport
import onnx_models as models
from kexport.runtimes.files import onnx_keys

ML = "ai.onnx.ml"


def machine_learning(path, kind, x, y, **attributes):
    """One operator of ai.onnx.ml; x and y are (type, shape)."""
    nodes = [helper.make_node(kind, ["x"], ["y"], domain=ML, **attributes)]
    graph = helper.make_graph(
        nodes, "test", [helper.make_tensor_value_info("x", *x)], [helper.make_tensor_value_info("y", *y)]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def both(tmp_path, write):
    """The reports of a file against itself, and against one whose last value is another one."""
    one, other = write(tmp_path / "one.onnx", 40), write(tmp_path / "other.onnx", 41)
    return kexport.compare(one, one, search="1"), kexport.compare(one, other, search="1")


@pytest.mark.parametrize(
    ("dtype", "keys"),
    [
        (models.INT64, {"keys_int64s": [100, 205, -7, 31_000_000_000]}),
        (models.STRING, {"keys_strings": ["ant", "bee", "cat", "dog"]}),
        (models.FLOAT, {"keys_floats": [10.5, 20.0, -33.0, 7.25]}),
    ],
    ids=["whole", "text", "real"],
)
@pytest.mark.parametrize("shape", [["n"], ["n", 3], [1]])
def test_another_value_of_one_key_is_seen(tmp_path, dtype, keys, shape):
    def write(path, last):
        values = [10, 20, 30, last]
        return machine_learning(
            path, "LabelEncoder", (dtype, shape), (models.INT64, shape), **keys, values_int64s=values
        )

    same, apart = both(tmp_path, write)
    assert same.passed
    assert not apart.passed


def test_a_key_that_only_one_table_has_is_drawn(tmp_path):
    def write(path, last):
        return machine_learning(
            path, "CategoryMapper", (models.INT64, ["n"]), (models.STRING, ["n"]),
            cats_int64s=[1000, 2000, 3000 + last], cats_strings=["a", "b", "c"],
        )  # fmt: skip

    same, apart = both(tmp_path, write)
    assert same.passed
    assert not apart.passed
    words = (
        "input x has no declared domain: choice(1000, 2000, 3040, 3041, 3042, 0, 1) is what the files compare it with"
    )
    assert words in [str(note) for note in apart.notes]


@pytest.mark.parametrize("dtype", [models.INT64, models.FLOAT])
@pytest.mark.parametrize("kind", ["Equal", "Greater"])
def test_a_constant_that_an_input_is_compared_with_is_drawn(tmp_path, kind, dtype):
    def write(path, last):
        nodes = [models.node("Identity", ["x"], ["same"]), models.node(kind, ["same", "c"], ["e"]),
                 models.node("Cast", ["e"], ["y"], to=models.FLOAT)]  # fmt: skip
        constant = np.array(1000 + last, "int64" if dtype == models.INT64 else "float32")
        return models.save(path, nodes, [("x", dtype, ["n", 2])], [("y", models.FLOAT, ["n", 2])], c=constant)

    same, apart = both(tmp_path, write)
    assert same.passed
    assert apart.passed is (dtype == models.FLOAT and kind == "Equal"), "one real number alone is a tie"


@pytest.mark.parametrize("apart_in", ["input", "inputs"])
def test_every_leaf_of_a_tree_is_reached(tmp_path, apart_in):
    """Thresholds far from 0, of one input, or of inputs that are joined."""

    def write(path, last):
        tree = helper.make_node(
            "TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, nodes_featureids=[0, 2, 0, 0, 0],
            nodes_values=[5.5, 700.0, 0.0, 0.0, 0.0], nodes_modes=["BRANCH_LEQ", "BRANCH_LEQ", *["LEAF"] * 3],
            nodes_nodeids=[0, 1, 2, 3, 4], nodes_treeids=[0] * 5, nodes_truenodeids=[2, 3, 0, 0, 0],
            nodes_falsenodeids=[1, 4, 0, 0, 0], target_ids=[0] * 3, target_nodeids=[2, 3, 4], target_treeids=[0] * 3,
            target_weights=[1.0, 2.0, float(last)],
        )  # fmt: skip
        names = ["x"] if apart_in == "input" else ["a", "b", "c"]
        join = [] if apart_in == "input" else [helper.make_node("Concat", names, ["x"], axis=1)]
        width = 3 // len(names)
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in names]
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
        graph = helper.make_graph([*join, tree], "test", inputs, outputs)
        save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
        return path

    same, apart = both(tmp_path, write)
    assert same.passed
    assert not apart.passed


def test_that_not_every_key_is_tried_is_told(tmp_path):
    keys = [f"key {index}" for index in range(100)]
    path = machine_learning(
        tmp_path / "one.onnx", "LabelEncoder", (models.STRING, [1]), (models.INT64, [1]),
        keys_strings=keys, values_int64s=list(range(100)),
    )  # fmt: skip
    report = kexport.compare(path, path, search="1")
    assert any("these are too many to try each" in str(note) for note in report.notes)


def test_the_tables_of_saved_models_and_tflite_files_are_read(tmp_path):
    import tensorflow as tf

    class Table(tf.Module):
        def __init__(self, keys, values):
            super().__init__()
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values)), values[0]
            )

    def write(path, keys, values):
        module = Table(keys, values)
        spec = tf.TensorSpec([3], tf.constant(keys).dtype, name="x")
        function = tf.function(lambda x: {"y": module.table.lookup(x)}, input_signature=[spec])
        tf.saved_model.save(module, path, signatures=function)
        path.with_suffix(".tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(path)).convert())

    for kind, keys, values in (
        ("texts", ["ant", "bee", "cat", "dog"], np.array([1, 2, 3, 4], "int64")),
        ("numbers", np.array([100, 205, 7, -3]), np.array(["a", "b", "c", "d"])),
    ):
        write(tmp_path / kind, keys, values)
        write(tmp_path / f"{kind}2", keys, np.concatenate([values[:-1], values[:1]]))
        for suffix in ("", ".tflite"):
            one, other = (tmp_path / f"{kind}{number}{suffix}" for number in ("", "2"))
            assert kexport.compare(one, one, search="1").passed, one
            assert not kexport.compare(one, other, search="1").passed, one


@pytest.mark.parametrize("concatenated", [False, True])
def test_a_tree_behind_many_others_is_looked_at_for_no_longer_than_it_is_worth(tmp_path, concatenated):
    """Of a chain, and of a tensor beside itself beside itself: 2 ** 3000 ways lead to the input."""
    kind, settings = ("Concat", {"axis": 0}) if concatenated else ("Identity", {})
    nodes = [
        helper.make_node(kind, [f"t{step}"] * (2 if concatenated else 1), [f"t{step + 1}"], **settings)
        for step in range(3000)
    ]
    tree = {"nodes_values": [0.5], "nodes_featureids": [0]}
    nodes.append(helper.make_node("TreeEnsembleRegressor", ["t3000"], ["y"], domain=ML, **tree))
    shape = (TensorProto.FLOAT, ["n", 1])
    graph = helper.make_graph(
        nodes, "test", [helper.make_tensor_value_info("t0", *shape)], [helper.make_tensor_value_info("y", *shape)]
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "deep.onnx")
    assert not onnx_keys.keys(tmp_path / "deep.onnx")
