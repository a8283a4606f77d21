"""Arguments of a wrong type are refused by name, before anything is done with them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import kexport
from kexport.argument_types import require_types
from kexport.errors import KexportError, UsageError

SCALED = Path(__file__).parents[1] / "artifacts" / "reference" / "scaled"
WRONG = [
    {"runtime": 3}, {"precision": ["int8"]}, {"isolated": "no"}, {"imports": "layers.py"}, {"imports": [3]},
    {"trust": "no"}, {"allow_lambda": 1}, {"max_bytes": "1"}, {"max_bytes": True}, {"signed_by": 3},
]  # fmt: skip


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_a_model_is_not_loaded_with_what_its_arguments_cannot_mean(options):
    (name,) = options
    with pytest.raises(UsageError, match=f"{name} of kexport.load has the wrong type") as raised:
        kexport.load(SCALED, **options)
    assert "expected:" in str(raised.value)


@pytest.mark.parametrize("path", [3, None, b"a", ["a"]])
def test_what_is_no_path_is_refused(path):
    for function in (kexport.load, kexport.verify):
        with pytest.raises(UsageError, match="has the wrong type"):
            function(path)


@pytest.mark.parametrize("options", [{"search": 3}, {"tolerance": 3}, {"runtimes": "onnxruntime"}, {"runtimes": [3]}])
def test_checks_are_not_made_with_them_either(options):
    with pytest.raises(UsageError, match="has the wrong type"):
        kexport.verify(SCALED, **options)
    with pytest.raises(UsageError, match="has the wrong type"):
        kexport.compare(SCALED, SCALED, **options)


def test_a_text_for_a_list_is_put_into_one():
    with pytest.raises(KexportError, match=r"runtimes=\['onnxruntime'\]"):
        kexport.verify(SCALED, runtimes="onnxruntime")


def test_what_annotations_mean_is_taken():
    def function(a: "int", b: "float | None", c: "bool", d: "str | Path", e: "Sequence[str]", f: "pytest.Item") -> None:
        """Nothing is known of the last one."""

    for e in (("x",), ["x"], {"x"}, {"x": 1}.keys()):
        require_types(function, [np.int32(1), 1], {"c": np.bool_(1), "d": Path("a"), "e": e, "f": object(), "g": 1})
    require_types(function, [1, np.float32(1), True, "a", (), None], {})
