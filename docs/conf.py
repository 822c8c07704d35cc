"""How `make docs` builds these pages: Sphinx, with Markdown by MyST and the API reference from docstrings."""

import lobjax

project = "lobjax"
author = "The lobjax developers"
version = release = lobjax.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"lobjax {version}"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
