"""Trees answer in steps: a number at a threshold may be on either side of it, and is on the same in every runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, save

import kexport
from kexport.bundle.domain import Bins, Features, Uniform
from kexport.field.comparison.noise import _on_its_side

ML = "ai.onnx.ml"
FEATURES = 12


def steps(path, factor):
    """A tree of one branch for each feature, of pairs of neighbouring numbers, which answers 0 and 1 in turn."""
    edges = [
        float(each) for low in np.arange(1, 10, dtype="float32") for each in (low, np.nextafter(low, np.float32(10)))
    ]
    nodes, leaves = [], []
    for feature in range(FEATURES):
        count = 5 + feature
        for index in range(count):
            after = index + 1 if index + 1 < count else 2 * count
            nodes.append((feature, index, "BRANCH_LEQ", feature, edges[index], count + index, after))
        nodes += [(feature, count + index, "LEAF", 0, 0.0, 0, 0) for index in range(count + 1)]
        leaves += [(feature, count + index, 0, factor * (index % 2)) for index in range(count + 1)]
    columns = ("treeids", "nodeids", "modes", "featureids", "values", "truenodeids", "falsenodeids")
    given = {f"nodes_{name}": list(each) for name, each in zip(columns, zip(*nodes, strict=True), strict=True)}
    targets = ("treeids", "nodeids", "ids", "weights")
    given |= {f"target_{name}": list(each) for name, each in zip(targets, zip(*leaves, strict=True), strict=True)}
    tree = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, **given)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", FEATURES])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    save(helper.make_model(helper.make_graph([tree], "test", [x], [y]), opset_imports=opsets, ir_version=8), path)
    return path


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.5, 1)])
def test_a_tree_is_itself_and_one_of_other_leaves_is_not(tmp_path, factor, code):
    one, other = steps(tmp_path / "one.onnx", 1.0), steps(tmp_path / "other.onnx", factor)
    assert kexport.compare(one, other, search="1").exit_code == code


def test_a_number_moves_but_across_no_threshold():
    bins = Bins(0.0, 1.0, 2.0)
    value, moved = np.array([[0.5, 1.0, 1.0, 0.99]]), np.array([[0.6, 1.01, 0.99, 1.0]])
    kept = [0.6, 1.0, 1.0, 0.99]
    np.testing.assert_array_equal(_on_its_side(bins, value, moved), [kept])
    free = Uniform(0.0, 2.0)
    mixed = Features(bins, free, bins, free)
    np.testing.assert_array_equal(_on_its_side(mixed, value, moved), [[0.6, 1.01, 1.0, 1.0]])
    np.testing.assert_array_equal(_on_its_side(None, value, moved), moved)
