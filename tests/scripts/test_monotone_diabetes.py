import examples


def test_no_forecast_falls_in_any_runtime(tmp_path):
    done = examples.run("monotone_diabetes.py", tmp_path)
    assert "monotonic" in examples.kept(done)
    rows = {line.split()[0]: line.split()[1:] for line in done.text.splitlines() if line.endswith("%")}
    assert set(rows) == {*examples.RUNTIMES, "without"}
    assert all(rows[name][2:] == ["0%", "0%", "0%"] for name in examples.RUNTIMES)
    assert all(float(rows[name][0]) < float(rows["without"][2]) for name in examples.RUNTIMES), (
        "the promise costs accuracy"
    )


def test_a_flipped_sign_is_found_where_parity_sees_nothing(tmp_path):
    done = examples.run("monotone_diabetes.py", tmp_path, "--break", "--formats", "onnx,tflite")
    assert "monotonic" in examples.broken(done, "hidden")
