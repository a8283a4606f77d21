"""A sound file that a runtime has no kernel for is not said to be damaged."""

import pytest

from kexport import runtimes
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError
from onnx_models import DOUBLE, node, save


def test_a_kernel_that_is_missing_is_told(tmp_path):
    path = save(tmp_path / "model.onnx", [node("Erf", ["x"], ["y"])], [("x", DOUBLE, ["n"])], [("y", DOUBLE, ["n"])])
    x, y = (TensorSpec(name, "float64", (None,)) for name in "xy")
    with pytest.raises(ArtifactError, match="no kernel for that operation") as raised:
        runtimes.get("onnxruntime").open(path, Signature((x,), (y,)))
    assert "Erf" in str(raised.value)
    assert "damaged" not in str(raised.value)
