import dataclasses
import json

import numpy as np
import pytest

from kexport.bundle import samples
from kexport.bundle.domain import Domain, Samples, Uniform
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest_entries import DomainsEntry
from kexport.bundle.samples import CALIBRATION_ROWS, MOST_ROWS, SamplesEntry, restored, rows_of, split, thinned
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError, BundleError, UncheckedError

TWO = Signature((TensorSpec("a", "float32", (None, 3)), TensorSpec("b", "int32", (None, None))), ())


@pytest.mark.parametrize("count", [16, 17, 100, 1023, 1024, 1025, 10_000])
@pytest.mark.parametrize("together", [1, 4])
def test_every_row_has_one_part_and_calibration_has_no_more_than_it_needs(count, together):
    check, calibration = split(count, together)
    if count // together < 16:
        assert np.array_equal(check, calibration)
        assert len(check) == count
        return
    assert sorted([*check, *calibration]) == list(range(count))
    assert 0 < len(calibration) <= min(CALIBRATION_ROWS, count / 2)
    blocks = calibration.reshape(-1, together)
    assert np.array_equal(blocks, blocks[:, :1] + np.arange(together))
    assert not (blocks[:, 0] % together).any()
    assert np.diff(blocks[:, 0]).max() - np.diff(blocks[:, 0]).min() == 0  # spread evenly over the recording
    assert rows_of(count, together).count == count


@pytest.mark.parametrize("count", [5, 40, 3000])
def test_a_recording_is_read_back_as_it_was(tmp_path, count):
    rng = np.random.default_rng(0)
    domains = {
        "a": Samples(rng.normal(size=(count, 3)).astype("float32")),
        "b": Samples(rng.integers(0, 9, (count, 5)).astype("int32")),
    }
    stored = SamplesEntry.from_json(json.loads(json.dumps(samples.write(tmp_path, TWO, domains).to_json())))
    again = restored(tmp_path / stored.path, stored, TWO)
    for name, domain in domains.items():
        assert again[name].values.dtype == domain.values.dtype
        assert np.array_equal(again[name].values, domain.values)
        assert str(again[name]) == str(domain) == f"samples({count})"
        parts = [samples.read(tmp_path / stored.path, stored, part)[name] for part in ("check", "calibration")]
        for part, rows in zip(parts, split(count), strict=True):
            assert np.array_equal(part, domain.values[rows])


def test_the_file_is_the_same_bytes_every_time_and_has_no_pickles(tmp_path):
    domains: dict[str, Domain] = {"a": Samples(np.ones((20, 3), "float32")), "b": Uniform()}
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        digests.add(samples.write(tmp_path / name, TWO, domains).sha256)
    assert len(digests) == 1
    with np.load(tmp_path / "one" / samples.FILE_NAME, allow_pickle=False) as file:
        assert sorted(file) == ["calibration/a", "check/a"]
    assert samples.write(tmp_path, TWO, {"a": Uniform(), "b": Uniform()}) is None


def test_a_file_of_other_rows_than_the_manifest_tells_is_damaged(tmp_path):
    stored = samples.write(tmp_path, TWO, {"a": Samples(np.ones((20, 3), "float32")), "b": Uniform()})
    for rows in ({"a": samples.Rows(11, 9)}, {"a": samples.Rows(5, 15)}, {"z": samples.Rows(10, 10)}):
        with pytest.raises(BundleError):
            restored(tmp_path / stored.path, dataclasses.replace(stored, rows=rows), TWO)
    (tmp_path / stored.path).write_bytes(b"PK\3\4")
    with pytest.raises(BundleError, match="damaged"):
        restored(tmp_path / stored.path, stored, TWO)


@pytest.mark.parametrize("values", [np.full((20, 3), "a"), np.ones((20, 3, 1)), np.ones(20)])
def test_a_file_of_another_kind_than_the_input_is_refused(tmp_path, values):
    stored = samples.write(tmp_path, TWO, {"a": Samples(values), "b": Uniform()})
    with pytest.raises(BundleError, match="does not hold what input 'a' takes"):
        restored(tmp_path / stored.path, stored, TWO)


def test_a_huge_recording_is_thinned_evenly_and_alike_for_every_input():
    count = 3 * MOST_ROWS
    arrays = {"a": np.arange(count * 3.0).reshape(count, 3), "b": np.arange(count)[:, None]}
    kept = thinned(arrays, TWO.inputs)
    assert len(kept["a"]) == len(kept["b"]) == MOST_ROWS
    assert np.array_equal(kept["a"][:, 0], kept["b"][:, 0] * 3.0)
    assert set(np.diff(kept["b"][:, 0])) == {3}
    wide = {"a": np.zeros((100, 1 << 20))}
    assert thinned(wide, TWO.inputs[:1])["a"].nbytes <= samples.MOST_BYTES
    few = {"a": np.zeros((7, 3))}
    assert thinned(few, TWO.inputs[:1])["a"] is few["a"]


def test_rows_that_an_input_takes_together_are_thinned_together(monkeypatch):
    monkeypatch.setattr(samples, "MOST_ROWS", 20)
    fixed = TensorSpec("x", "float32", (4, 1))
    kept = thinned({"x": np.arange(81)[:, None]}, [fixed])["x"].reshape(-1, 4)
    assert np.array_equal(kept, kept[:, :1] + np.arange(4))
    assert not (kept[:, 0] % 4).any()


def test_a_bundle_that_tells_of_recorded_data_without_holding_it_cannot_be_sampled(reference):
    bundle = Bundle.open(reference)
    assert set(bundle.domains()) == set(bundle.manifest.domains)
    told = dataclasses.replace(bundle.manifest, inputs=DomainsEntry({"signal": "samples(20)"}))
    with pytest.raises(UncheckedError, match="not in the bundle"):
        dataclasses.replace(bundle, manifest=told).domains()


def test_changed_recorded_data_is_not_read(reference):
    signature = Bundle.open(reference).signature
    stored = samples.write(reference, signature, {"signal": Samples(np.ones((20, 9), "float32"))})
    inputs = DomainsEntry({"signal": "samples(20)"}, samples=stored)
    manifest = dataclasses.replace(Bundle.open(reference).manifest, inputs=inputs)
    bundle = Bundle(reference, type(manifest).from_json(json.loads(json.dumps(manifest.to_json()))))
    domain = bundle.domains()["signal"]
    assert isinstance(domain, Samples)
    assert domain.values.shape == (20, 9)
    with (reference / stored.path).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match="not the file"):
        bundle.domains()
