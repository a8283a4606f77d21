"""Where labels may lie: files of every kind, parts of them, the file of the samples, and arrays."""

import numpy as np
import pytest

from kexport.bundle import data_files
from kexport.bundle.labels_source import LabelsSource
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import InputError, UsageError

LABELS = np.array([2, 0, 1])
SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), ())


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "y.npy", LABELS)
    np.savez(tmp_path / "one.npz", y=LABELS)
    np.savez(tmp_path / "both.npz", x=np.ones((3, 2), "float32"), y=LABELS)
    (tmp_path / "y.csv").write_text("2\n0\n1\n")
    (tmp_path / "both.csv").write_text("a,label,b\n0.5,2,1\n1.5,0,1\n2.5,1,1\n")
    return tmp_path


@pytest.mark.parametrize("name", ["y.npy", "one.npz", "one.npz:y", "both.npz:y", "y.csv", "both.csv:label"])
def test_labels_are_read_from_files_and_parts_of_them(folder, name):
    labels = LabelsSource.of(f"{folder}/{name}").read()
    assert labels.dtype.kind == "i"
    assert labels.tolist() == LABELS.tolist()


def test_several_columns_are_several_labels_of_each_sample(folder):
    assert LabelsSource.of(folder / "both.csv").read().shape == (3, 3)


def test_an_array_is_what_it_is():
    assert LabelsSource.of([2, 0, 1]).read().tolist() == LABELS.tolist()
    with pytest.raises(UsageError, match="there are no labels"):
        LabelsSource.of([]).read()


@pytest.mark.parametrize("name", ["both.npz:y", "both.csv:label"])
def test_the_samples_in_the_same_file_are_what_else_it_holds(folder, name):
    path = folder / name.partition(":")[0]
    left = LabelsSource.of(f"{folder}/{name}").part_of(path)
    assert left
    assert data_files.read(path, SIGNATURE, left=left)["x"].shape == (3, 2)
    assert LabelsSource.of(f"{folder}/{name}").part_of(folder / "y.npy") == ""


def test_labels_that_are_all_of_the_file_of_samples_are_refused(folder):
    with pytest.raises(UsageError, match="the same file"):
        LabelsSource.of(folder / "both.npz").part_of(folder / "both.npz")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.npy", "there is no file"),
        ("both.npz", "holds 2 arrays"),
        ("both.npz:z", "has no array 'z'"),
        ("both.csv:lable", "did you mean label"),
        ("y.csv:label", "titles of the columns"),
        ("names.csv", "in place of the name of a class"),
    ],
)
def test_labels_that_cannot_be_found_are_told_with_a_way_out(folder, name, words):
    (folder / "names.csv").write_text("animal\ncat\ndog\n")
    with pytest.raises(InputError, match=words):
        LabelsSource.of(f"{folder}/{name}").read()
