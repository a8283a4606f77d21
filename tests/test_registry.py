"""Plug-ins are found by file name, and are of the type that their folder promises."""

import pytest

from kexport import registry
from kexport.errors import UsageError
from kexport.runtimes import Runtime


def test_a_plug_in_is_one_new_file(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_BASE", tmp_path)
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "mine.py").write_text("")
    (tmp_path / "runtimes" / "_private.py").write_text("")
    assert registry.names("runtimes") == ["mine"]


def test_an_unknown_name_is_refused_with_the_names_that_there_are():
    with pytest.raises(UsageError, match="onnxruntime"):
        registry.get("runtimes", "onnxruntim", Runtime, "RUNTIME")


def test_a_plug_in_of_another_type_is_a_bug():
    with pytest.raises(TypeError, match=r"onnxruntime\.RUNTIME is of type Runtime"):
        registry.get("runtimes", "onnxruntime", str, "RUNTIME")
