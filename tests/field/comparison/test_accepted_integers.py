"""An index into a table is drawn from all rows of it, though a bare file states no domain."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import kexport

ROWS = 13


def embedding(path, table, batch="batch"):
    """A file of ids, whose rows of the table are masked."""
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [batch, 4])
    masks = helper.make_tensor_value_info("mask", TensorProto.INT64, [batch, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 4, 3])
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Cast", ["mask"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["real", "last"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["y"]),
    ]
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([2]), "last")]
    graph = helper.make_graph(nodes, "net", [ids, masks], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(ROWS, 3)).astype("float32")


def test_a_difference_in_the_last_row_is_seen(tmp_path, table):
    one = embedding(tmp_path / "one.onnx", table)
    other = table.copy()
    other[-1] *= 1.5
    report = kexport.compare(one, embedding(tmp_path / "other.onnx", other), search="200")
    assert not report.passed
    notes = [str(note) for note in report.notes]
    assert f"input ids has no declared domain: ints(0, {ROWS}) is what both take" in notes
    assert "input mask has no declared domain: ints(0, 2) is the default" in notes, "it takes any number"


@pytest.mark.parametrize(("row", "rows"), [(0, 3999), (1234, 3999), (3998, 3999), (4096, 4099), (49_000, 50_257)])
def test_a_difference_in_any_row_is_seen(tmp_path, row, rows):
    table = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
    one = embedding(tmp_path / "one.onnx", table)
    table[row] *= 1.5
    report = kexport.compare(one, embedding(tmp_path / "other.onnx", table), domain={"mask": "ints(1, 2)"}, search="1")
    assert not report.passed


@pytest.mark.parametrize(("rows", "batch"), [(66_000, "batch"), (300, 1)])
def test_that_not_every_row_is_tried_is_told(tmp_path, rows, batch):
    table = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
    one = embedding(tmp_path / "one.onnx", table, batch)
    report = kexport.compare(one, one, search="1")
    words = f"ints(0, {rows}) is what both take; these are too many to try each"
    assert any(words in str(note) for note in report.notes)


def test_every_row_of_a_small_table_is_tried_in_samples_that_come_alone(tmp_path):
    table = np.random.default_rng(0).normal(size=(250, 3)).astype("float32")
    one = embedding(tmp_path / "one.onnx", table, 1)
    table[249] *= 1.5
    other = embedding(tmp_path / "other.onnx", table, 1)
    report = kexport.compare(one, other, domain={"mask": "ints(1, 2)"}, search="1")
    assert not report.passed
    assert not any("too many" in str(note) for note in report.notes)


def test_both_take_what_the_smaller_table_has(tmp_path, table):
    one, other = embedding(tmp_path / "one.onnx", table), embedding(tmp_path / "other.onnx", table[:7])
    report = kexport.compare(one, other, search="200")
    assert report.passed
    assert any("ints(0, 7) is what both take" in str(note) for note in report.notes)


def test_a_declared_domain_is_not_asked_for(tmp_path, table):
    one = embedding(tmp_path / "one.onnx", table)
    report = kexport.compare(one, one, domain={"ids": "ints(0, 3)"}, search="100")
    assert report.passed
    assert not any("what both take" in str(note) for note in report.notes)


def test_a_number_that_decides_a_size_is_no_index(tmp_path):
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    nodes = [
        helper.make_node("Concat", ["count", "width"], ["shape"], axis=0),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["count"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["real"], ["total"], keepdims=0),
        helper.make_node("Add", ["sum", "total"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "net", [count], [y], [numpy_helper.from_array(np.array([4096]), "width")])
    path = tmp_path / "size.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    report = kexport.compare(path, path, search="50")
    assert report.passed
    assert "input count has no declared domain: ints(0, 2) is the default" in [str(note) for note in report.notes]
