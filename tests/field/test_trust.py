"""What a user allows to run: it runs for the formats that may need it, and reaches worker processes."""

import json
import sys
import zipfile
from typing import Any

import pytest

from conftest import REFERENCE
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.errors import ModelError, UsageError
from kexport.field.trust import NO_TRUST, Trust
from kexport.runtimes.keras_model.file import read_config


@pytest.fixture
def layers(tmp_path):
    """A file of a user that says in `sys.modules` that it ran."""
    path = tmp_path / "layers_of_a_user.py"
    path.write_text("ran = True\n")
    yield path
    sys.modules.pop(f"kexport_import_{path.stem}", None)


@pytest.fixture
def lambda_file(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"class_name": "Lambda", "module": "keras.layers", "config": {}}))
    return path


def test_it_comes_back_from_json():
    trust = Trust(("layers.py", "package.layers"), allow_lambda=True, unrestricted=True)
    assert Trust.from_json(json.loads(json.dumps(trust.to_json()))) == trust


def test_no_import_runs_for_a_format_without_user_code(layers):
    bundle = Bundle.open(REFERENCE / "scaled")
    runtime = runtimes.get("onnxruntime")
    Trust((str(layers),)).open(runtime, bundle.path / "model.onnx", bundle.signature)
    assert f"kexport_import_{layers.stem}" not in sys.modules


def test_granting_runs_the_imports(layers):
    with Trust((str(layers),)).granted():
        assert sys.modules[f"kexport_import_{layers.stem}"].ran


def test_an_import_that_does_not_exist_is_refused_before_anything_runs(layers):
    trust = Trust((str(layers), "no_such_file.py"))
    with pytest.raises(UsageError, match="no_such_file"):
        trust.require_imports()
    assert f"kexport_import_{layers.stem}" not in sys.modules


def test_lambda_layers_are_loaded_only_within_the_block(lambda_file):
    with Trust(allow_lambda=True).granted():
        config: Any = read_config(lambda_file)
        assert config["class_name"] == "Lambda"
    for trust in (NO_TRUST, Trust(("json",))):
        with trust.granted(), pytest.raises(ModelError, match="Lambda layer"):
            read_config(lambda_file)
