import numpy as np
import pytest

from conftest import REFERENCE

SERIES = np.array([1, 2, 3, 4, 5, 4, 3, 2, 1, 0], "float32")
LIGHT = ("onnxruntime", "litert", "litert_reference")


def averaged(batch):
    padded = np.pad(batch.astype("float64"), [(0, 0), (2, 2)])
    return np.mean([padded[:, k : k + batch.shape[1]] for k in range(5)], axis=0).astype("float32")


@pytest.mark.parametrize("runtime", [*LIGHT, "saved_model", "keras"])
def test_a_single_column_of_csv_is_one_series_in_every_runtime(kexport, tmp_path, runtime):
    np.savetxt(tmp_path / "x.csv", SERIES)
    result = kexport(
        "run", REFERENCE / "lowpass", "--input", "x.csv", "--output", "y.npy", "--runtime", runtime
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == f"{runtime}: filtered (1, 10) -> y.npy\n"
    np.testing.assert_array_max_ulp(np.load(tmp_path / "y.npy"), averaged(SERIES[None]), maxulp=4)


def test_a_row_of_csv_is_a_sample_and_the_output_may_be_csv(kexport, tmp_path):
    rows = np.stack([SERIES, SERIES[::-1], -SERIES])
    np.savetxt(tmp_path / "x.csv", rows, delimiter=",")
    result = kexport("run", REFERENCE / "lowpass", "--input", "x.csv", "--output", "y.csv")
    assert result.returncode == 0, result.stderr
    written = np.loadtxt(tmp_path / "y.csv", delimiter=",", dtype="float32")
    np.testing.assert_array_max_ulp(written, averaged(rows), maxulp=4)


def test_npz_holds_inputs_and_outputs_by_name(kexport, tmp_path):
    np.savez(tmp_path / "x.npz", features=np.ones((2, 3), "float32"))
    result = kexport("run", REFERENCE / "scaled", "--input", "x.npz", "--output", "y.npz")
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "y.npz") as outputs:
        assert outputs.files == ["scaled_features"]
        assert np.array_equal(outputs["scaled_features"], np.full((2, 3), 2, "float32"))


def test_without_an_output_file_the_numbers_go_to_standard_output(kexport, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 2.5]], "float32"))
    result = kexport("run", REFERENCE / "scaled", "--input", "x.npy")
    assert result.returncode == 0, result.stderr
    assert [float(number) for number in result.stdout.replace(",", " ").split()] == [2, 5]


def test_an_output_file_of_an_unknown_kind_is_refused_before_anything_runs(kexport, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((1, 2), "float32"))
    result = kexport("run", REFERENCE / "scaled", "--input", "x.npy", "--output", "y.xls")
    assert result.returncode == 2
    assert ".npy" in result.stderr
    assert not (tmp_path / "y.xls").exists()


def test_an_output_whose_links_lead_in_a_circle_is_refused(kexport, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 2.5]], "float32"))
    (tmp_path / "y.npy").symlink_to("y.npy")
    result = kexport("run", REFERENCE / "scaled", "--input", "x.npy", "--output", "y.npy")
    assert result.returncode == 2, result.stderr
    assert "error: y.npy cannot be written" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npy"]


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e9", "-1"])
def test_no_timer_takes_such_a_number_of_seconds(kexport, seconds):
    result = kexport("run", REFERENCE / "scaled", "--input", "x.npy", "--max-seconds", seconds)
    assert result.returncode == 2
    assert "--max-seconds" in result.stderr
