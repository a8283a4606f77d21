"""An index of several columns is drawn from every cell of its table, each column from its own axis."""

import numpy as np
import pytest

import kexport
import onnx_models as models

CELLS = np.random.default_rng(0).normal(size=(5, 37, 3)).astype("float32")


def cells(path, table, dtype=models.INT64, batch="n"):
    """A cell of the table for each pair of indices."""
    nodes = [models.node("Cast", ["i"], ["whole"], to=models.INT64), models.node("GatherND", ["t", "whole"], ["y"])]
    return models.save(path, nodes, [("i", dtype, [batch, 2])], [("y", models.FLOAT, [batch, 3])], t=table)


def changed(*cell, of=CELLS):
    other = of.copy()
    other[cell] *= 1.5
    return other


def notes_of(report):
    return [str(note) for note in report.notes]


@pytest.mark.parametrize("batch", ["n", 3])
@pytest.mark.parametrize("cell", [(4, 36), (3, 20), (0, 36)])
def test_a_difference_in_any_cell_is_seen(tmp_path, cell, batch):
    one = cells(tmp_path / "one.onnx", CELLS, batch=batch)
    other = cells(tmp_path / "other.onnx", changed(*cell), batch=batch)
    report = kexport.compare(one, other, search="1")
    assert not report.passed
    assert "input i has no declared domain: features(ints(0, 5), ints(0, 37)) is what both take" in notes_of(report)


def test_a_table_with_one_row_along_an_axis_is_compared_in_its_other_one(tmp_path):
    one = cells(tmp_path / "one.onnx", CELLS[:1])
    assert kexport.compare(one, one, search="1").passed
    assert not kexport.compare(one, cells(tmp_path / "other.onnx", changed(0, 30)[:1]), search="1").passed


def test_that_not_every_cell_is_tried_is_told(tmp_path):
    one = cells(tmp_path / "one.onnx", CELLS, batch=1)
    report = kexport.compare(one, one, search="1")
    assert any("these are too many to try each" in note for note in notes_of(report))


@pytest.mark.parametrize("dtype", [models.FLOAT, models.onnx.TensorProto.UINT8], ids=["real", "narrow"])
def test_an_index_of_another_dtype_reaches_every_row_too(tmp_path, dtype):
    table = CELLS[0]
    for name, rows in (("one", table), ("other", changed(30, of=table))):
        nodes = [models.node("Cast", ["i"], ["whole"], to=models.INT64), models.node("Gather", ["t", "whole"], ["y"])]
        models.save(tmp_path / f"{name}.onnx", nodes, [("i", dtype, ["n"])], [("y", models.FLOAT, ["n", 3])], t=rows)
    assert kexport.compare(tmp_path / "one.onnx", tmp_path / "one.onnx", search="1").passed
    report = kexport.compare(tmp_path / "one.onnx", tmp_path / "other.onnx", search="1")
    assert not report.passed
    assert "input i has no declared domain: ints(0, 37) is what both take" in notes_of(report)


@pytest.mark.parametrize("rows", [37, 370])
def test_two_inputs_that_index_one_table_meet_or_a_note_tells(tmp_path, rows):
    table = np.random.default_rng(0).normal(size=(rows, 370, 3)).astype("float32")
    for name, each in (("one", table), ("other", changed(23, 29, of=table))):
        nodes = [models.node("Concat", ["i", "j"], ["ij"], axis=1), models.node("GatherND", ["t", "ij"], ["y"])]
        inputs = [(name, models.INT64, ["n", 1]) for name in "ij"]
        models.save(tmp_path / f"{name}.onnx", nodes, inputs, [("y", models.FLOAT, ["n", 3])], t=each)
    report = kexport.compare(tmp_path / "one.onnx", tmp_path / "other.onnx", search="1")
    told = any("not every combination of rows is tried, of inputs i, j" in note for note in notes_of(report))
    assert (report.exit_code, told) == ((1, False) if rows == 37 else (3, True))


def test_two_columns_of_one_table_stay_one_range(tmp_path):
    nodes = [models.node("Gather", ["t", "i"], ["y"])]
    one = models.save(
        tmp_path / "one.onnx", nodes, [("i", models.INT64, ["n", 2])], [("y", models.FLOAT, ["n", 2, 3])], t=CELLS[0]
    )
    report = kexport.compare(one, one, search="1")
    assert "input i has no declared domain: ints(0, 37) is what both take" in notes_of(report)


def test_saved_models_and_tflite_files_refuse_cells_too(tmp_path):
    import tensorflow as tf

    class Table(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([4, 2], tf.int32, name="i")])
        def function(self, i):
            return {"y": tf.gather_nd(tf.constant(self.table), i)}

    for name, table in (("one", CELLS), ("other", changed(3, 20))):
        module = Table()
        module.table = table
        tf.saved_model.save(module, tmp_path / name, signatures=module.function)
        content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / name)).convert()
        (tmp_path / f"{name}.tflite").write_bytes(content)
    for a, b in (("one", "other"), ("one.tflite", "other.tflite"), ("one", "other.tflite")):
        report = kexport.compare(tmp_path / a, tmp_path / b, search="1")
        assert not report.passed, (a, b)
