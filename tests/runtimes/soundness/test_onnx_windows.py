"""Pooling windows that are larger than an image: a kernel of ONNX Runtime divides by the number of their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError, InputError
from kexport.runtimes import Session, get

CHANNELS = 16  # so many are laid out in blocks


#: What makes the number of axes of `x`, of one sample, unknown, and then copies all sizes but one from it.
HIDING = [
    helper.make_node("Squeeze", ["x"], ["squeezed"]),
    helper.make_node("Unsqueeze", ["squeezed", "first"], ["unsqueezed"]),
    helper.make_node("Reshape", ["unsqueezed", "copied"], ["hidden"]),
]


def opened(path: Path, kind: str, height: int | None = None, hiding: bool = False, **more: Any) -> Session:
    """A convolution of one point and a pooling window of 3 by 3, after a transposition that hides no sizes."""
    nodes = [
        *(HIDING if hiding else ()),
        helper.make_node("Transpose", ["hidden" if hiding else "x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"]),
        helper.make_node(kind, ["c"], ["y"], name="the_pool", kernel_shape=[3, 3], **more),
    ]
    shape = (None, height, None, CHANNELS)
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", 1, shape)],
        [helper.make_tensor_value_info("y", 1, [None, CHANNELS, None, None])],
        [
            numpy_helper.from_array(np.ones((CHANNELS, CHANNELS, 1, 1), np.float32), "w"),
            numpy_helper.from_array(np.array([0]), "first"),
            numpy_helper.from_array(np.array([-1, 0, 0, CHANNELS]), "copied"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    spec = TensorSpec("y", "float32", (None, CHANNELS, None, None))
    return get("onnxruntime").open(path, Signature((TensorSpec("x", "float32", shape),), (spec,)))


def image(height: int, width: int = 5) -> Any:
    return np.ones((1, height, width, CHANNELS), np.float32)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_an_image_smaller_than_a_window_is_refused_and_others_go_on(kind, tmp_path):
    session = opened(tmp_path / "m.onnx", kind)
    (tmp_path / "m.onnx").unlink()
    assert session(image(3)).shape == (1, CHANNELS, 1, 3)
    for small in (image(2), image(3, 2), image(1, 1)):
        with pytest.raises(InputError, match=r"the window of the node 'the_pool'") as refused:
            session(small)
        assert str(list(small.shape[1:3])) in str(refused.value)
    assert session(image(4)).shape == (1, CHANNELS, 2, 3)


def test_sizes_that_are_copied_from_what_is_unknown_are_unknown(tmp_path):
    assert opened(tmp_path / "m.onnx", "MaxPool", hiding=True)(image(3)).shape == (1, CHANNELS, 1, 3)


def test_windows_that_may_lie_partly_outside_are_taken(tmp_path):
    assert opened(tmp_path / "a", "MaxPool", pads=[1, 1, 1, 1])(image(1, 1)).shape == (1, CHANNELS, 1, 1)
    assert opened(tmp_path / "b", "AveragePool", auto_pad="SAME_UPPER")(image(1, 1)).shape == (1, CHANNELS, 1, 1)
    assert opened(tmp_path / "c", "MaxPool", ceil_mode=1, strides=[2, 2])(image(2)).shape == (1, CHANNELS, 1, 2)


def test_a_window_that_fits_no_input_is_refused_when_the_file_is_loaded(tmp_path):
    with pytest.raises(ArtifactError, match="the window of the node 'the_pool'"):
        opened(tmp_path / "m.onnx", "MaxPool", height=2)
