from typing import Any

import numpy as np

from kexport.bundle.data_files import read
from kexport.bundle.signature import Signature, TensorSpec

SIGNATURE = Signature((TensorSpec("zip_code", "int64", (None, 1)), TensorSpec("x", "float32", (None, 1))), ())
ONE, TWO = np.ones((1, 1)), np.full((1, 1), 2.0)


def test_a_name_that_no_format_carries_stands_for_its_input(tmp_path):
    arrays: Any = {"zip code": ONE, "x": TWO}
    np.savez(tmp_path / "data.npz", **arrays)
    assert read(tmp_path / "data.npz", SIGNATURE) == {"zip_code": ONE, "x": TWO}


def test_names_that_would_stand_for_one_input_are_left_as_they_are(tmp_path):
    arrays: Any = {"zip code": ONE, "zip-code": TWO}
    np.savez(tmp_path / "data.npz", **arrays)
    assert set(read(tmp_path / "data.npz", SIGNATURE)) == {"zip code", "zip-code"}
