"""A report as one HTML page, with charts in SVG; it needs Jinja2, and neither network nor JavaScript.

What a bundle brings is escaped by the template library: a hostile name is text.
"""

from kexport.page.document import MOST_BYTES, PageSubject, drawn, page, part
from kexport.page.file import require_writable, write

__all__ = ["MOST_BYTES", "PageSubject", "drawn", "page", "part", "require_writable", "write"]
