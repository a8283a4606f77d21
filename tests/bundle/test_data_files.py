from typing import Any

import numpy as np
import pytest

from kexport.bundle.data_files import read
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import InputError

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


@pytest.mark.parametrize("kind", [".csv", ".npy", ".npz"])
def test_a_larger_file_is_read_when_it_is_allowed(tmp_path, kind, monkeypatch):
    path, one = tmp_path / f"data{kind}", Signature((TensorSpec("x", "float32", (None, 400)),), ())
    rows = np.ones((1, 400), "float32")
    if kind == ".csv":
        np.savetxt(path, rows, "%d", ",")
    elif kind == ".npy":
        np.save(path, rows)
    else:
        np.savez_compressed(path, x=rows)
    for limit in ("csv_table.MOST_TEXT", "data_files.EXPANSION", "regular_files.MOST_BYTES"):
        monkeypatch.setattr(f"kexport.bundle.{limit}", 500)
    with pytest.raises(InputError, match="--max-bytes allows more"):
        read(path, one)
    assert np.array_equal(read(path, one, 1 << 20)["x"], rows)


def test_an_archive_of_nothing_is_refused(tmp_path):
    np.savez(tmp_path / "data.npz")
    with pytest.raises(InputError, match="holds no array"):
        read(tmp_path / "data.npz", SIGNATURE)
