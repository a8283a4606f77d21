import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kexport.bundle import witnesses
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Signature, TensorSpec
from kexport.bundle.witnesses import Witness
from kexport.errors import BundleError

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), (TensorSpec("y", "float32", (None,)),))
FEEDS = {"x": np.array([[1, 2]], "float32")}


def witness(**parts):
    golden = Golden("random", FEEDS, {"y": np.array([3.0])}, ulp_sensitivity={"y": np.array([0.5], "float32")})
    return Witness(golden, "truth", {"y": 1e-6}, {"y": 4.0}, [{"x": FEEDS["x"] * 2}], **parts)


def refusal(path, signature=SIGNATURE):
    with pytest.raises(BundleError) as refused:
        witnesses.read(path, signature)
    assert path.name in str(refused.value)
    assert "delete the file" in str(refused.value)
    return str(refused.value)


def named_by_its_digest(path: Path) -> Path:
    return path.rename(path.with_name(hashlib.sha256(path.read_bytes()).hexdigest()[:16] + ".npz"))


def test_what_is_stored_comes_back_whole(tmp_path):
    path = witnesses.store(tmp_path, witness(digest="abc"))
    assert witnesses.paths(tmp_path) == [path]
    ((same, found),) = witnesses.stream(tmp_path, SIGNATURE)
    assert same == path
    np.testing.assert_array_equal(found.golden.inputs["x"], FEEDS["x"])
    np.testing.assert_array_equal(found.golden.truth["y"], [3.0])
    np.testing.assert_array_equal(found.golden.ulp_sensitivity["y"], [0.5])
    np.testing.assert_array_equal(found.before[0]["x"], FEEDS["x"] * 2)
    assert (found.golden.label, found.reference, found.digest) == ("random", "truth", "abc")
    assert (found.limits, found.scales) == ({"y": 1e-6}, {"y": 4.0})


def test_the_same_witness_is_one_file_and_the_same_bytes(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first = witnesses.store(one, witness())
    assert witnesses.store(one, witness()) == first == witnesses.store(other, witness())
    assert (one / first).read_bytes() == (other / first).read_bytes()
    assert [path.name for path in (one / "witnesses").iterdir()] == [Path(first).name], "nothing is left behind"


def test_a_bundle_without_witnesses_has_none(tmp_path):
    assert witnesses.paths(tmp_path) == []
    assert list(witnesses.stream(tmp_path, SIGNATURE)) == []


@pytest.mark.parametrize("damage", ["a bit", "the end", "all of it"])
def test_a_damaged_file_is_refused_by_its_name(tmp_path, damage):
    path = tmp_path / witnesses.store(tmp_path, witness())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"a bit": bytes(content), "the end": content[:-20], "all of it": b""}[damage])
    assert "is damaged" in refusal(path)


def test_a_renamed_file_is_refused(tmp_path):
    path = tmp_path / witnesses.store(tmp_path, witness())
    assert "a digest that does not match its name" in refusal(path.rename(path.with_name("worst.npz")))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_archive_is_refused_though_its_name_is_right(tmp_path, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert "is damaged" in refusal(named_by_its_digest(path))


@pytest.mark.parametrize(
    "other",
    [
        Signature((TensorSpec("z", "float32", (None, 2)),), SIGNATURE.outputs),
        Signature(SIGNATURE.inputs, (TensorSpec("z", "float32", (None,)),)),
        Signature((TensorSpec("x", "float32", (None, 3)),), SIGNATURE.outputs),
        Signature((TensorSpec("x", "int32", (None, 2)),), SIGNATURE.outputs),
    ],
    ids=["another input", "another output", "another shape", "another dtype"],
)
def test_a_witness_of_another_model_is_refused(tmp_path, other):
    refusal(tmp_path / witnesses.store(tmp_path, witness()), other)


class Trap:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def rewritten(tmp_path, **changes):
    """The file of a witness with some arrays replaced, under the name that it should have."""
    path = tmp_path / witnesses.store(tmp_path, witness())
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored}
    np.savez(path, allow_pickle=True, **{**arrays, **changes})
    return named_by_its_digest(path)


def test_objects_are_not_unpickled(tmp_path):
    for name in ("0/input/x", "0/truth/y", "about"):
        path = rewritten(tmp_path, **{name: np.array([Trap(tmp_path / "sprung")], dtype=object)})
        assert "is damaged" in refusal(path)
        assert "allow_pickle=False" in refusal(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"before": 10**9},
        {"before": "x"},
        {"limits": {}},
        {"limits": {"y": "wide"}},
        {"scales": None},
        {"label": None, "limits": []},
    ],
    ids=str,
)
def test_what_it_says_of_itself_is_checked(tmp_path, change):
    path = tmp_path / witnesses.store(tmp_path, witness())
    with np.load(path) as stored:
        about = json.loads(str(stored["about"]))
    path.unlink()
    refusal(rewritten(tmp_path, about=np.array(json.dumps({**about, **change}))))


def test_what_it_says_must_be_an_object_with_all_parts(tmp_path):
    for about in ("[]", "1", "{}", "{", "null"):
        refusal(rewritten(tmp_path, about=np.array(about)))


def test_a_folder_or_an_unknown_compression_in_its_place_is_refused(tmp_path):
    (tmp_path / "witnesses" / "folder.npz").mkdir(parents=True)
    refusal(tmp_path / "witnesses" / "folder.npz")
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("about.npy", b"nothing")
    refusal(named_by_its_digest(path))


def test_where_the_folder_cannot_be_there_is_an_error_of_the_system(tmp_path):
    (tmp_path / "witnesses").write_text("a file")
    with pytest.raises(OSError, match="exists"):
        witnesses.store(tmp_path, witness())
    assert witnesses.paths(tmp_path) == []


def test_a_truth_of_less_than_double_precision_is_not_believed(tmp_path):
    for dtype in ("float16", "float32", "int64"):
        assert f"'y' is {dtype}, not float64" in refusal(rewritten(tmp_path, **{"0/truth/y": np.array([3], dtype)}))


def test_what_is_beside_the_truth_must_fit_it(tmp_path):
    for value in (np.zeros(2), np.array(["text"])):
        assert "beside the truth of output 'y'" in refusal(rewritten(tmp_path, **{"0/moves/y": value}))
        assert "beside the truth of output 'y'" in refusal(rewritten(tmp_path, **{"0/own/y": value}))


def test_a_folder_or_file_elsewhere_is_not_followed(tmp_path):
    bundle, other = tmp_path / "bundle", tmp_path / "other"
    bundle.mkdir()
    other.mkdir()
    path = witnesses.store(other, witness())
    (bundle / "witnesses").symlink_to(other / "witnesses")
    with pytest.raises(BundleError, match="leads out of the bundle"):
        witnesses.paths(bundle)
    assert "leads out of the bundle" in refusal(bundle / path)
    (bundle / "witnesses").unlink()
    (bundle / "witnesses").mkdir()
    (bundle / path).symlink_to(other / path)
    assert "leads out of the bundle" in refusal(bundle / path)


def test_a_witness_that_is_larger_than_any_is_read_only_when_it_is_allowed(tmp_path, monkeypatch):
    path = tmp_path / witnesses.store(tmp_path, witness())
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    assert "too large" in refusal(path)
    path = tmp_path / witnesses.store(tmp_path, witness(digest="other"))
    monkeypatch.setattr(witnesses, "EXPANSION", 100)
    assert "--max-bytes allows more" in refusal(path)
    assert witnesses.read(path, SIGNATURE, 1 << 20).digest == "other"
