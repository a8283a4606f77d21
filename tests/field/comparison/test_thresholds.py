"""Trees answer in steps: a number at a threshold may be on either side of it, and is on the same in every runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, save

import kexport
from kexport.bundle.domain import Bins, Features, Uniform
from kexport.field.comparison.noise import _on_its_side

ML = "ai.onnx.ml"
COUNT = 24


def steps(path, factor):
    """A tree of one branch that answers 0 and 1 in turn, between thresholds at a tenth of whole numbers."""
    inner, leaves = list(range(COUNT)), list(range(COUNT, 2 * COUNT + 1))
    blank = [0] * len(leaves)
    tree = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain=ML, n_targets=1, nodes_nodeids=[*inner, *leaves],
        nodes_modes=["BRANCH_LEQ"] * COUNT + ["LEAF"] * len(leaves), nodes_featureids=[0] * (COUNT + len(leaves)),
        nodes_values=[*(index / 10 for index in inner), *map(float, blank)], nodes_treeids=[0] * (COUNT + len(leaves)),
        nodes_truenodeids=[*leaves[:COUNT], *blank], nodes_falsenodeids=[*inner[1:], leaves[-1], *blank],
        target_ids=blank, target_nodeids=leaves, target_treeids=blank,
        target_weights=[factor * (index % 2) for index, _ in enumerate(leaves)],
    )  # fmt: skip
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    graph = helper.make_graph([tree], "test", [x], [y])
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
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
