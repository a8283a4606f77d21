"""Completion in shells, by click; names of models, formats, runtimes and precisions complete too."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from click import Context, Parameter
from click.shell_completion import CompletionItem

#: The variable by which a shell asks for completions, as click names it.
VARIABLE = "_KEXPORT_COMPLETE"

Completer = Callable[[Context, Parameter, str], list[CompletionItem]]


def one_of(names: Callable[[], Iterable[str]]) -> Completer:
    """Completes a name."""

    def complete(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names() if name.startswith(begun)]

    return complete


def several_of(names: Callable[[], Iterable[str]]) -> Completer:
    """Completes the last of several names between commas."""

    def complete(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
        before, comma, last = begun.rpartition(",")
        return [CompletionItem(before + comma + name) for name in names() if name.startswith(last)]

    return complete


def file_or(names: Callable[[], Iterable[str]]) -> Completer:
    """Completes a name, or else a path."""

    def complete(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names() if begun and name.startswith(begun)]
        return found or [CompletionItem(begun, type="file")]

    return complete


def path(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
    """Completes a path."""
    return [CompletionItem(begun, type="file")]


def models() -> list[str]:
    """The registered models."""
    from kexport import registry

    return sorted(registry.offers("kexport.models"))


def layers() -> list[str]:
    """The constraint layers."""
    from kexport import registry

    return sorted(registry.offers("kexport.layers"))


def formats() -> list[str]:
    """The formats."""
    from kexport import registry

    return list(registry.names("factory/formats"))


def runtimes() -> list[str]:
    """The runtimes."""
    from kexport import registry

    return list(registry.names("runtimes"))


def precisions() -> list[str]:
    """The precisions, and the choice of one."""
    from kexport.bundle.precision import AUTO, PRECISIONS

    return [*PRECISIONS, AUTO]


def listed_names(kind: str) -> list[str]:
    """The names of a kind that `kexport list` knows."""
    return {"models": models, "layers": layers, "formats": formats, "runtimes": runtimes}.get(kind, list)()
