import json

import keras
import pytest

import kexport
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ModelError
from kexport.parity.smallest_call import require_affordable


def test_a_model_that_no_machine_can_call_is_refused_before_it_is_called(tmp_path):
    x = keras.Input(batch_shape=(100_000_000, 3), name="x")
    keras.Model(x, keras.layers.ReLU(name="y")(x)).save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match="input 'x' takes more memory than a model may") as refused:
        kexport.build(str(tmp_path / "m.keras"), tmp_path / "b", formats=["onnx"])
    assert "1200000000 bytes" in str(refused.value)
    assert not (tmp_path / "b").exists()


def test_open_axes_count_once_and_the_limit_can_be_raised():
    require_affordable(Signature((TensorSpec("x", "float32", (None, 1 << 20)), TensorSpec("s", "string", (None,))), ()))
    large = Signature((TensorSpec("x", "float32", (1 << 28,)),), ())
    with pytest.raises(ModelError):
        require_affordable(large)
    require_affordable(large, 1 << 30)


def test_models_that_no_machine_can_call_are_not_compared(reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["signature"]["inputs"][0]["shape"] = [1 << 29, None]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    report = kexport.compare(reference, reference, ["onnxruntime"])
    assert not report.passed
    assert any("takes more memory than a model may" in check.detail for check in report.checks)
