"""Ways to write a model, one a file. `kexport.factory.formats.get` and `every` find them."""

from kexport.factory.formats._format import Format, Option, defaults, every, get, names, require_supported

__all__ = ["Format", "Option", "defaults", "every", "get", "names", "require_supported"]
