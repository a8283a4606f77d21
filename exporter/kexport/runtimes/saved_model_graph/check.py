"""What a SavedModel would do to the machine that runs it, read before anything of it runs.

Loading a SavedModel runs its initialisers already, so its graph, its functions and its files are looked at first.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from kexport.bundle.regular_files import read_regular
from kexport.errors import BundleError, MissingCodeError, reason
from kexport.runtimes.saved_model_graph.dependencies import ASSET, MAIN, Dependencies, Scope, node_name
from kexport.runtimes.saved_model_graph.operations import ALLOWED, HARMLESS_BY_ATTRIBUTE, READING, SAVING
from kexport.runtimes.saved_model_graph.protocols import AssetFile, AttributeValue, MetaGraph, SavedNode

FILE_NAME = "saved_model.pb"
_OLD_ASSETS = "saved_model_assets"
_LARGEST = (1 << 31) - 1  # bytes; no larger message can be parsed
_SHOWN = 5  # findings in an error
_NAME_SHOWN = 80  # characters of a name
_HINT = "if you trust the model, add --trust"
_PYTHON = re.compile(r"\b(Eager)?PyFunc")
_PYTHON_HINT = "no file holds the code of a Python function: save the model again with operations of TensorFlow"


def require_allowed(path: Path) -> None:
    """Raise unless a SavedModel only computes; nothing of it is run to find out.

    Raises:
        MissingCodeError: it holds operations that touch files, the network, processes or Python code, or uses files
            outside of its folder.
        BundleError: it cannot be read.
    """
    _require_own_files(path)
    graphs = _graphs(path)
    runs = len(graphs) > 1 or any(not graph.HasField("object_graph_def") for graph in graphs)
    findings = [finding for graph in graphs for finding in _findings(Dependencies(graph, runs=runs))]
    for graph in graphs:
        for asset in _assets(graph):
            if not _is_inside(asset.filename):
                raise MissingCodeError(
                    f"the SavedModel {path.name} reads a file outside of its folder",
                    got=_shown(asset.filename),
                    expected="the name of a file in its folder assets",
                    hint=_HINT,
                )
    if findings:
        more = len(findings) - _SHOWN
        raise MissingCodeError(
            f"the SavedModel {path.name} holds operations that may not run",
            got="; ".join(findings[:_SHOWN]) + (f"; and {more} more" if more > 0 else ""),
            expected="operations that compute, without files, network, processes or Python code",
            hint=_PYTHON_HINT if any(map(_PYTHON.search, findings)) else _HINT,
        )


def _graphs(path: Path) -> list[MetaGraph]:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString(read_regular(path / FILE_NAME, most=_LARGEST))
    except OSError as error:
        raise BundleError(f"{path / FILE_NAME} cannot be read", got=error.strerror or error) from None
    except DecodeError as error:
        raise BundleError(f"{path / FILE_NAME} cannot be read", got=reason(error)) from None
    return list(message.meta_graphs)


def _require_own_files(path: Path) -> None:
    """Raise unless the folder holds nothing but folders and regular files of its own."""
    root = Path(os.path.realpath(path))  # as `Path.resolve` does, but links in a circle are no error
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            entry = Path(folder, name)
            mode = entry.lstat().st_mode
            inside = not stat.S_ISLNK(mode) or Path(os.path.realpath(entry)).is_relative_to(root)
            if not inside or not (entry.is_dir() or entry.is_file()):
                raise MissingCodeError(
                    f"the SavedModel {path.name} leads out of its folder",
                    got=f"{_shown(str(entry.relative_to(path)))}, {_kind(mode)}",
                    expected="files and folders of its own",
                    hint="copy what it leads to into its place, or, if you trust the model, add --trust",
                )


def _kind(mode: int) -> str:
    return "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"


def _findings(dependencies: Dependencies) -> Iterator[str]:
    """The operations that may not run, each with its place."""
    from tensorflow.python.framework import op_def_registry

    functions = dependencies.scopes.keys()
    nodes_of_saver, functions_of_saver = dependencies.of_saver()
    yield from _ambiguous(dependencies)
    for scope in dependencies.scopes.values():
        saves = scope.name in functions_of_saver
        for node in scope.nodes.values():
            place = f"node {_shown(node.name)} of {scope}"
            is_call = node.op in functions and op_def_registry.get(node.op) is None
            if node.op in SAVING:
                if not saves and not (scope.name == MAIN and node.name in nodes_of_saver):
                    yield f"{_shown(node.op)} ({place})"
            elif node.op in READING:
                if not _reads_own_file(dependencies, scope, node):
                    yield f"{node.op} of a file that is not its own ({place})"
            elif node.op in HARMLESS_BY_ATTRIBUTE:
                name, harmless = HARMLESS_BY_ATTRIBUTE[node.op]
                if name in node.attr and (node.attr[name].placeholder or node.attr[name].s not in harmless):
                    yield f"{node.op} to {_file_named_by(node.attr[name])} ({place})"
            elif node.op not in ALLOWED and not is_call:
                yield f"{_shown(node.op)} ({place})"
    for name, (scope, node) in dependencies.foreign_calls():
        yield f"{_shown(name)}, which is no function of it (node {_shown(node.name)} of {scope})"


def _file_named_by(value: AttributeValue) -> str:
    """The file that an attribute names, in words; a caller of the function decides what a placeholder stands for."""
    if value.placeholder:
        return f"the value of {_shown(value.placeholder)}"
    return _shown(value.s.decode(errors="replace"))


def _ambiguous(dependencies: Dependencies) -> Iterator[str]:
    """Names that stand for two things, of which only one would be looked at."""
    graph = dependencies.graph.graph_def
    if len(graph.node) != len(dependencies.scopes[MAIN].nodes):
        yield "two nodes of one name (the graph)"
    if len(graph.library.function) != len(dependencies.scopes) - 1:
        yield "two functions of one name"
    for function in graph.library.function:
        names = [node.name for node in function.node_def] + [argument.name for argument in function.signature.input_arg]
        if len(names) != len(set(names)):
            yield f"two nodes of one name (function {_shown(function.signature.name)})"


def _reads_own_file(dependencies: Dependencies, scope: Scope, node: SavedNode) -> bool:
    """Whether the file that a node reads is an asset, or the checkpoint, of the SavedModel."""
    graph = dependencies.graph
    restores = node.op.startswith("Restore")
    if restores:
        own = {node_name(graph.saver_def.filename_tensor_name)}
    else:
        own = {ASSET, *(node_name(asset.tensor_info.name) for asset in _assets(graph))}
    # In the graph itself these tensors hold another value unless loading puts theirs in its place.
    if scope.name == MAIN and node.name in dependencies.executed(loading=restores):
        return False
    index = READING[node.op]
    return index < len(node.input) and all(origin in own for origin in dependencies.origins(scope, node.input[index]))


def _assets(graph: MetaGraph) -> list[AssetFile]:
    """Its assets; a TensorFlow before 2 kept them in a collection."""
    from tensorflow.core.protobuf import meta_graph_pb2

    assets = list(graph.asset_file_def)
    if _OLD_ASSETS in graph.collection_def:
        packed = graph.collection_def[_OLD_ASSETS].any_list.value
        assets += [meta_graph_pb2.AssetFileDef.FromString(each.value) for each in packed]
    return assets


def _is_inside(name: str) -> bool:
    """Whether the name of an asset stays in the folder, on any system."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            return False
    return bool(name) and "\0" not in name


def _shown(name: str) -> str:
    """A name from a file, without control characters, and not too long."""
    return ascii(name if len(name) <= _NAME_SHOWN else name[:_NAME_SHOWN] + "...")
