"""Importing kexport_layers registers its classes with Keras; finding them imports neither."""

import subprocess
import sys

import pytest

import kexport_layers
from conftest import REFERENCE, ROOT
from kexport import registry

LAYERS = registry.offers("kexport.layers")
BLOCKED = """
import importlib.abc, sys
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("keras", "tensorflow") or name.startswith("kexport_layers."):
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize("bundle", ["lowpass", "regularized", "scaled"])
def test_a_reference_model_loads_after_the_import_alone(bundle):
    path = REFERENCE / bundle / "model.keras"
    code = f"import kexport_layers, keras\nmodel = keras.models.load_model({str(path)!r})\nassert model.outputs\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_file_of_the_package_is_registered_and_has_a_public_name():
    import keras

    assert LAYERS
    for name in LAYERS:
        assert keras.saving.get_registered_object(f"kexport>{name}") is getattr(kexport_layers, name), name


@pytest.mark.parametrize(
    "arguments", [["list", "layers"], ["list", "models"], ["--help"], ["build", "--help"]], ids=" ".join
)
def test_listing_and_help_import_neither_keras_nor_the_layers(arguments):
    code = (
        f"{BLOCKED}\nimport sys\nfrom kexport.cli import main\nsys.argv = ['kexport', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code, done.code\n"
        "assert not {'keras', 'tensorflow', 'kexport_layers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    if arguments == ["list", "layers"]:
        assert set(LAYERS) <= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


def test_settings_of_a_named_model_are_checked_before_keras_is_imported():
    code = (
        f"{BLOCKED}\nfrom kexport.errors import UsageError\nfrom kexport.factory import sources\n"
        "source = sources.find('lowpass', {'kernel_size': '5'})\n"
        "assert source.domains == {'signal': 'uniform(-5, 5)'}\n"
        "for settings in ({'kernel': '5'}, {'kernel_size': 'many'}, {'padding': 'none'}):\n"
        "    try:\n        sources.find('lowpass', settings)\n"
        "    except UsageError:\n        continue\n"
        "    raise AssertionError(settings)\n"
        "assert not {'keras', 'kexport_layers', 'kexport_layers.models.lowpass'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_type_checker_sees_classes(tmp_path):
    names = sorted(LAYERS)
    (tmp_path / "snippet.py").write_text(
        "import kexport_layers\n" + "".join(f"reveal_type(kexport_layers.{name})\n" for name in names)
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", f"--cache-dir={tmp_path}",
         tmp_path / "snippet.py"],
        capture_output=True, text=True, timeout=300, cwd=ROOT,
    )  # fmt: skip
    revealed = [line for line in done.stdout.splitlines() if "Revealed type" in line]
    assert len(revealed) == len(names), done.stdout + done.stderr
    for name, line in zip(names, revealed, strict=True):
        assert f"kexport_layers.{LAYERS[name].module.rpartition('.')[2]}.{name}" in line, line
