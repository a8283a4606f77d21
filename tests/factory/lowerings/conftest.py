import importlib
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def exported(tmp_path):
    """`exported(model, format, *arrays)`: the outputs of a Keras model in each runtime, and the file's operators."""

    def export(model, format_name, *arrays):
        from kexport.factory import handover
        from kexport.factory.formats import _format
        from kexport.factory.trace import trace
        from kexport.runtimes import _runtime

        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        program = trace(model)
        handover.write(program, folder / "handover")
        target = folder / f"model.{format_name}"
        module, _, name = _format.get(format_name).converter.partition(":")
        (details,) = getattr(importlib.import_module(module), name)(str(folder / "handover"), str(target), {})
        feeds = dict(zip([spec.name for spec in program.signature.inputs], arrays, strict=True))
        runtimes = [runtime for runtime in _runtime.every() if runtime.reads == format_name]
        results = [list(runtime.open(target, program.signature)(feeds).values()) for runtime in runtimes]
        return results, details["ops"]

    return export
