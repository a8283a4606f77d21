"""No file that a command writes takes the place of a file of the bundle or model that it reads."""

import pytest

from kexport.bundle.digests import digest


def contents(folder):
    return {path.relative_to(folder): digest(path) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "option", "name"),
    [
        (("inspect", "BUNDLE"), "--sbom", "manifest.json"),
        (("verify", "BUNDLE"), "--junit", "report.json"),
        (("verify", "BUNDLE"), "--plots", "pictures"),
        (("run", "BUNDLE", "--input", "none.npz"), "--output", "goldens.npz"),
        (("compare", "BUNDLE", "BUNDLE"), "--witness", "goldens.npz"),
        (("compare", "none.onnx", "BUNDLE"), "--junit", "saved_model/saved_model.pb"),
        (("build", "--model", "scaled", "--out", "BUNDLE"), "--junit", "new.xml"),
    ],
)
def test_it_must_lie_outside_of_the_bundle(kexport, reference, command, option, name):
    before = contents(reference)
    arguments = [str(reference) if each == "BUNDLE" else each for each in command]
    result = kexport(*arguments, option, str(reference / name))
    assert result.returncode == 2, result.stdout + result.stderr
    assert f"{option} {reference / name} would change {reference}" in result.stderr
    assert contents(reference) == before


def test_it_is_found_behind_links_and_a_model_file_is_kept_too(kexport, reference, tmp_path):
    (tmp_path / "other").symlink_to(reference, target_is_directory=True)
    result = kexport("inspect", reference, "--sbom", "other/../other/bill.json")
    assert "would change" in result.stderr
    model = reference / "model.onnx"
    result = kexport("compare", model, model, "--junit", model)
    assert "would change" in result.stderr
    assert model.is_file()
