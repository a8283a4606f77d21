"""Ways to write a model, one a file. `kexport.factory.formats.get` and `every` find them."""

from kexport.factory.formats._format import Format, Option, defaults, every, get, names, path_of, require_supported
from kexport.factory.formats._kept_layers import layer_name
from kexport.factory.formats._small_targets import SmallTarget, small_targets

__all__ = [
    "Format",
    "Option",
    "SmallTarget",
    "defaults",
    "every",
    "get",
    "layer_name",
    "names",
    "path_of",
    "require_supported",
    "small_targets",
]
