import pytest
import tensorflow as tf

import kexport
from kexport.errors import ExportError


@pytest.fixture
def looping(tmp_path):
    """A SavedModel of TensorFlow 1, with a loop."""
    v1, folder = tf.compat.v1, tmp_path / "looping"
    before = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, (None, 3), name="x")
            _, y = v1.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 1.5), [tf.constant(0), x])
            v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y})
    finally:
        if before:
            v1.enable_control_flow_v2()
    return folder


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_a_loop_of_version_1_is_refused_with_a_way_out(looping, tmp_path, name):
    with pytest.raises(ExportError, match="loop in the form of TensorFlow 1") as refused:
        kexport.build(str(looping), tmp_path / "out", formats=[name], timeout=60)
    assert "enable_control_flow_v2()" in str(refused.value)
