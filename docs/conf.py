"""Sphinx settings: ``make docs`` builds the site with warnings as errors, without network."""

import sys
from pathlib import Path

from indist import __version__

sys.path.insert(0, str(Path(__file__).parent))

project = "indist"
author = "The indist authors"
copyright = "The indist authors, Apache-2.0"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "_mathml",
    "_api",
]

myst_enable_extensions = ["amsmath", "dollarmath", "deflist", "colon_fence"]
html_math_renderer = "mathml"
myst_heading_anchors = 3

# A name in single backticks is a link where it is public, and plain code where it is not.
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"indist {release}"
html_static_path = ["_static"]
html_css_files = ["indist.css"]
html_copy_source = False
html_show_sphinx = False
