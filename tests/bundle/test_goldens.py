import tracemalloc

import numpy as np

from kexport.bundle import goldens
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Signature, TensorSpec

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
