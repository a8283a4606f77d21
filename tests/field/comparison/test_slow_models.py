"""What a comparison leaves out where a call takes long."""

from types import SimpleNamespace
from typing import Any

import numpy as np

import kexport
import onnx_models as models
from kexport.bundle.domain import Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.field.comparison import limits
from kexport.field.comparison.noise import Noise
from kexport.testing.closeness import assert_close


class Doubling:
    """A session that counts its calls."""

    calls = 0

    def run(self, feeds):
        self.calls += len(feeds)
        return [{"y": each["x"] * np.float32(2)} for each in feeds]


def test_noise_is_measured_on_few_cases_and_the_scale_on_all(monkeypatch):
    monkeypatch.setattr(limits, "_SECONDS", 0.0)
    x, y = (TensorSpec(name, "float32", (None, 3)) for name in "xy")
    shared: Any = SimpleNamespace(signature=Signature((x,), (y,)), domains={"x": Uniform(-100, 100)})
    noises = {0: Noise(shared, 1e-7), 1: Noise(shared, 1e-7)}
    sessions: Any = (Doubling(), Doubling())
    cases = [(f"case {size}", {"x": np.full((1, 3), size, "float32")}) for size in range(1, 31)]
    shapes, notes = limits._measured(noises, sessions, cases)
    assert len(shapes) == 30
    assert notes == ["noise is measured on 4 of 30 cases: a call takes long"]
    assert [session.calls for session in sessions] == [4 * 6 + 26, 4 * 6]
    assert_close(noises[0].scales["y"], 60.0)


def test_a_slow_file_is_compared_and_the_report_says_what_its_limit_rests_on(monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "_SECONDS", 0.0)

    def product(path, factor):
        sizes = [(name, models.FLOAT, ["n", 4]) for name in ("x", "y")]
        node = models.helper.make_node("Mul", ["x", "factor"], ["y"])
        return models.save(path, [node], sizes[:1], sizes[1:], factor=np.array([factor], "float32"))

    one, other = product(tmp_path / "a.onnx", 1.0), product(tmp_path / "b.onnx", 1.001)
    same, apart = (kexport.compare(one, each, search="1") for each in (one, other))
    assert same.passed
    assert apart.exit_code == 1
    for report in (same, apart):
        assert any("noise is measured on 4 of " in str(note) for note in report.notes)
