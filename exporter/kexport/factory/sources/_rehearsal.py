"""One call of a SavedModel in a process within limits, before the build's own process loads and calls it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from kexport import runtimes
from kexport.bundle.declared_domain import default_for
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import KexportError, ModelError
from kexport.field.inspection import DeclaredFunction, declaration_of
from kexport.field.remote import ArtifactSource, RemoteSession, RuntimeFailedError
from kexport.field.trust import Trust
from kexport.field.workers import WorkerPool
from kexport.process import WorkerLimitError
from kexport.scratch import temporary_folder

_RUNTIME = "saved_model"
_LOOPS = (b"While", b"LoopCond")  # parts of the names of all operations that repeat others
_ROWS = 2


def rehearse(path: Path, signature: str | None, trust: Trust) -> None:
    """Load a SavedModel that has loops, and call it once, within the limits of one that is verified.

    Args:
        path: its folder.
        signature: which of its functions is the model; None for its default.
        trust: what its limits are raised by; one without limits needs no rehearsal.

    Raises:
        ModelError: it does not end in time, or needs too much memory.
    """
    if trust.unrestricted or not _has_loops(path):
        return
    size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    runtime = runtimes.get(_RUNTIME)
    with temporary_folder() as folder, closing(WorkerPool(confinement=trust.confinement(size, 0, folder))) as pool:
        restarting = pool.worker_for(runtime)
        assert restarting is not None
        try:
            declared = declaration_of(restarting.worker, path, runtime, trust)
            for function in declared.functions:
                if signature in (None, function.signature.name):
                    source = ArtifactSource(path.parent, path.name, runtime, function.signature, trust)
                    RemoteSession(source, restarting, folder).run([_feeds(function)])
                    break
        except (KexportError, RuntimeFailedError) as error:
            if isinstance(error.__context__, WorkerLimitError):
                raise ModelError(
                    f"the SavedModel {path} does not end within its limits",
                    got=error.__context__,
                    hint="--max-seconds allows a call more time, --max-bytes more memory, --trust anything",
                ) from None
            # What else is wrong with it the build says better; and it need not take such inputs.


def _has_loops(path: Path) -> bool:
    content = (path / "saved_model.pb").read_bytes()
    return any(name in content for name in _LOOPS)


def _feeds(function: DeclaredFunction) -> dict[str, Array]:
    """One input: of a dynamic axis, two."""
    rng = np.random.default_rng(0)

    def drawn(spec: TensorSpec) -> Array:
        shape = tuple(_ROWS if size is None else size for size in spec.shape)
        return np.asarray(default_for(spec).sample(rng, shape)).astype(spec.numpy_dtype)

    return {spec.name: drawn(spec) for spec in function.signature.inputs}
