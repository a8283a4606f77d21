import numpy as np

from kexport_layers.models.lowpass import lowpass


def test_the_model_is_a_moving_average_of_five_unless_told_otherwise():
    taps = lowpass().get_layer("filtered").taps
    np.testing.assert_array_equal(taps, [0.2] * 5)


def test_the_model_is_designed_from_a_specification(kexport):
    settings = ("pass_band=30", "stop_band=60", "attenuation=50", "sample_rate=360")
    options = [part for setting in settings for part in ("--set", setting)]
    done = kexport("build", "--model", "lowpass", *options, "--formats", "onnx")
    assert done.returncode == 0, done.stdout + done.stderr
