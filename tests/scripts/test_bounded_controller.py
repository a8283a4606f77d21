import examples


def test_the_command_stays_within_bounds_and_rate_in_every_runtime(tmp_path):
    done = examples.run("bounded_controller.py", tmp_path)
    assert {"bounded", "rate_limited"} <= examples.kept(done)
    assert "*" not in done.text


def test_a_clip_left_out_is_found_where_parity_and_a_calm_run_see_nothing(tmp_path):
    done = examples.run("bounded_controller.py", tmp_path, "--break", "--formats", "onnx,tflite")
    assert examples.broken(done, "command") == {"bounded"}
    assert done.text.count("*") == 3
