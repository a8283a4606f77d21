import examples


def test_the_stop_band_is_scipys_in_every_runtime(tmp_path):
    done = examples.run("low_pass_ecg.py", tmp_path)
    assert examples.kept(done) == {"linear_time_invariant", "low_pass"}
    assert "60 Hz    -50.481" in done.text
    assert "*" not in done.text


def test_a_mistyped_tap_is_found_where_parity_sees_nothing(tmp_path):
    done = examples.run("low_pass_ecg.py", tmp_path, "--break", "--formats", "onnx,tflite")
    assert examples.broken(done, "filtered") == {"linear_time_invariant", "low_pass"}
    assert "tap 15 is 0.224588 instead of 0.222365 (+1 %)" in done.text
