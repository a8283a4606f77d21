"""Where the artifacts of a bundle diverge from its model, whether the model is at fault, and how its build ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from kexport import notebook
from kexport.bundle.report import Check, CheckKind, Report
from kexport.errors import FAILED, UNCHECKED
from kexport.parity.layer_report import SCHEMA, Localisation


@dataclass(frozen=True)
class ModelFault:
    """A layer with which the model itself is no function of its inputs, whatever the artifacts compute.

    Attributes:
        layer: its path in the model, with the number of the call where it is called more than once.
        kind: its class.
        cause: what it does, in words.
    """

    layer: str
    kind: str
    cause: str

    def __str__(self) -> str:
        return f"layer {self.layer!r} ({self.kind}): {self.cause}"


@dataclass(frozen=True)
class LocalisedBundle:
    """All that is known about the faults of a bundle.

    Attributes:
        artifacts: one localisation per artifact and runtime.
        model_faults: layers that make the model itself no function.
        built: the report of the build.
    """

    artifacts: tuple[Localisation, ...]
    model_faults: tuple[ModelFault, ...]
    built: Report

    def __repr__(self) -> str:
        layers = ", ".join(each.layer for artifact in self.artifacts for each in artifact.divergences)
        outcome = "passed" if self.passed else f"diverges at {layers}" if layers else "not passed"
        return notebook.plain(f"LocalisedBundle {self.built.bundle}: {outcome}")

    def _repr_html_(self) -> str | None:
        return notebook.drawn(self)

    @property
    def model_at_fault(self) -> tuple[str, ...]:
        """Why the model itself is at fault, as the build found, and what was found here besides; empty if it is not."""
        built = [check.detail for check in self._failed if check.kind is CheckKind.MODEL]
        found = [str(fault) for fault in self.model_faults if not any(repr(fault.layer) in each for each in built)]
        return tuple(dict.fromkeys(built + found))

    @property
    def rejected_by(self) -> tuple[Check, ...]:
        """The checks of artifacts that failed at the build."""
        return tuple(check for check in self._failed if check.kind is not CheckKind.MODEL)

    @property
    def unchecked(self) -> tuple[Check, ...]:
        """The checks that could not be made at the build."""
        return tuple(check for check in self.built.checks if not check.ran)

    @property
    def _failed(self) -> list[Check]:
        return [check for check in self.built.checks if check.ran and not check.passed]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong now, and the build had passed."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 nothing is wrong; 1 an artifact, the model, or a check of the build; 3 a check was not made."""
        if self.model_at_fault or any(each.failed for each in self.artifacts):
            return FAILED
        unjudged = any(each.unjudged for each in self.artifacts)
        return self.built.exit_code or (UNCHECKED if unjudged else 0)

    def to_json(self, bundle: str) -> dict[str, object]:
        """What `--json` prints.

        Args:
            bundle: the path of the bundle.
        """
        return {
            "schema": SCHEMA,
            "bundle": bundle,
            "passed": self.passed,
            "model_at_fault": self.model_at_fault,
            "model_faults": [asdict(fault) for fault in self.model_faults],
            "build": {
                "passed": self.built.passed,
                "failed": [check.to_json() for check in self._failed],
                "unchecked": [check.to_json() for check in self.unchecked],
            },
            "localisations": [each.to_json() for each in self.artifacts],
        }
