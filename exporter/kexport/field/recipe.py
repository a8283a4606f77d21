"""How a session was loaded from a bundle, so that another process can load it again."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.bundle.quantization import of_integers
from kexport.current_folder import current_folder
from kexport.errors import ArtifactError, UsageError
from kexport.field.interface import require_interface
from kexport.field.trust import Trust
from kexport.runtimes import Session


@dataclass(frozen=True)
class BundleRecipe:
    """How a session was loaded from a bundle.

    Attributes:
        path: the bundle's folder, as an absolute path.
        runtime: the name of the runtime.
        files: path and SHA-256 of each file of the artifact.
        trust: the user code that may run.
        isolated: whether the model is served from a process of its own.
        stateful: whether the model keeps state between calls.
        integers: whether callers pass and get the integers of the artifact themselves.
        signed_by: the public key, in PEM, with which the bundle must have been signed.
        home: the folder that the names of imported files are relative to.
    """

    path: str
    runtime: str
    files: tuple[tuple[str, str], ...]
    trust: Trust
    isolated: bool = False
    stateful: bool = False
    integers: bool = False
    signed_by: str | None = None
    home: str = field(default_factory=lambda: current_folder() or "")

    def open(self, bundle: Bundle, artifact: Artifact) -> tuple[Session, list[str]]:
        """The session, and where the code that it was loaded with is not what its bundle was built with."""
        runtime, path = runtimes.get(self.runtime), bundle.checked_path(artifact)
        runtime.require()
        signature = of_integers(bundle.signature, artifact.quantization) if self.integers else bundle.signature
        if self.isolated:
            from kexport.field.isolation import IsolatedArtifact, Isolation

            weights = bundle.artifact_bytes
            served = IsolatedArtifact(path, runtime, signature, self.trust, self.stateful, weights)
            isolation = Isolation(served)
            session, differences = Session(runtime.name, signature, isolation.opened()), isolation.differences
        else:
            session = self.trust.open(runtime, path, signature)
            differences = self.trust.differences() if runtime.runs_user_code else []
        try:
            require_interface(session.opened, signature, artifact)
        except BaseException:
            session.close()
            raise
        session.recipe = self
        return session, differences

    def require_repeatable(self, *, forked: bool) -> None:
        """Raise `UsageError` where another process, which may be a fork of this one, would not get the same model."""
        if self.stateful:
            raise UsageError(
                "this session cannot be used in another process",
                got="the model keeps state between calls, which would begin anew there",
                hint="load the bundle in that process",
            )
        if forked and not self.isolated and runtimes.group_of(runtimes.get(self.runtime)) == "tensorflow":
            raise UsageError(
                "this session cannot be used in a forked process",
                got="TensorFlow does not run in a fork of a process where it has run",
                hint="load the bundle with isolated=True, or start processes by 'spawn'",
            )

    def load(self) -> Session:
        """Load the model again.

        Raises:
            ArtifactError: the bundle at the path is another one by now.
            AuthenticityError: its signature is.
        """
        require_key(self.path, self.signed_by, self.trust.max_bytes)
        bundle = Bundle.open(self.path, self.trust.max_bytes)
        artifacts = bundle.artifacts_of(runtimes.get(self.runtime).reads)
        for artifact in artifacts:
            if tuple(artifact.files) == self.files:
                files = [os.path.join(self.home, name) if name.endswith(".py") else name for name in self.trust.imports]
                recipe = replace(self, trust=replace(self.trust, imports=tuple(files)))
                return recipe.open(bundle, artifact)[0]
        raise ArtifactError(
            f"the bundle at {self.path} is not the one that the session was loaded from",
            got=artifacts[0].files if artifacts else "no such artifact",
            expected=self.files,
            hint="load the new one with kexport.load",
        )


def require_key(path: str | Path, signed_by: str | None, max_bytes: int) -> None:
    """Raise `AuthenticityError` unless the bundle was signed with the key, if there is one."""
    if signed_by is not None:
        from kexport.field.authenticity import require_signed

        require_signed(path, signed_by, max_bytes)
