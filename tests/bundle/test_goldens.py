import contextlib
import tracemalloc

import numpy as np
import pytest

from kexport.bundle import goldens
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import BundleError

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 400)),), (TensorSpec("y", "float32", (None, 400)),))


def test_goldens_are_in_memory_one_at_a_time(tmp_path):
    count = 600

    def made(index):
        x = np.random.default_rng(index).normal(size=(8, 400)).astype("float32")
        return Golden(f"case {index}", {"x": x}, {"y": x.astype("float64") * 2})

    labels = [f"case {index}" for index in range(count)]
    goldens.write(tmp_path / "goldens.npz", [made(index) for index in range(count)])
    one = sum(array.nbytes for array in goldens.arrays_of(0, made(0)).values())
    tracemalloc.start()
    for index, golden in enumerate(goldens.stream(tmp_path / "goldens.npz", SIGNATURE, labels)):
        if index % 97 == 0:
            np.testing.assert_array_equal(golden.truth["y"], made(index).truth["y"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * one + 2000 * count, "an index of names, and a few arrays"
    assert golden.label == labels[-1]


def test_a_truth_of_less_than_double_precision_is_not_believed(tmp_path):
    x = np.ones((1, 400), "float32")
    for dtype in ("float16", "float32", "int64"):
        goldens.write(tmp_path / "goldens.npz", [Golden("case", {"x": x}, {"y": x.astype(dtype)})])
        with pytest.raises(BundleError, match=f"'y' is {dtype}, not float64"):
            list(goldens.stream(tmp_path / "goldens.npz", SIGNATURE, ["case"]))


def test_the_truth_of_complex_numbers_is_complex_in_double_precision(tmp_path):
    pair = Signature(SIGNATURE.inputs, (TensorSpec("y", "complex64", (None, 400)),))
    x = np.ones((1, 400), "float32")
    for dtype, believed in (("complex128", True), ("complex64", False)):
        goldens.write(tmp_path / "goldens.npz", [Golden("case", {"x": x}, {"y": x.astype(dtype)})])
        with contextlib.nullcontext() if believed else pytest.raises(BundleError, match="not complex128"):
            assert len(list(goldens.stream(tmp_path / "goldens.npz", pair, ["case"]))) == 1


def test_how_far_a_text_moves_is_a_number_beside_it(tmp_path):
    texts = Signature(SIGNATURE.inputs, (TensorSpec("y", "string", (None,)),))
    for moved, believed in ((np.ones(1, "float32"), True), (np.array(["far"]), False)):
        golden = Golden("case", {"x": np.ones((1, 400), "float32")}, {"y": np.array(["a"])}, {}, {"y": moved})
        goldens.write(tmp_path / "goldens.npz", [golden])
        with contextlib.nullcontext() if believed else pytest.raises(BundleError, match="beside the truth"):
            assert len(list(goldens.stream(tmp_path / "goldens.npz", texts, ["case"]))) == 1
