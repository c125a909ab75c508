"""The documentation site: `make docs` builds it into docs/_build, with no network."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import maxfw  # noqa: E402

project = "maxfw"
author = "The maxfw authors"
version = release = maxfw.__version__

# Of these the site needs no more than the names.
autodoc_mock_imports = ["ray", "pyarrow"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"maxfw {release}"
html_copy_source = False

# Links to headings: [the settings](reference/settings.md#offline).
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# What a package only passes on is documented where it is written.
autodoc_default_options = {"members": True, "show-inheritance": True, "ignore-module-all": True}
napoleon_numpy_docstring = False

OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+models/[^)]*\)")
INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)(\w?)")


def docstring_as_rst(app, what, name, obj, options, lines):
    """Docstrings are written as people read them: `code` in single backticks, indented blocks as they are."""
    written, before = [], ""
    for line in lines:
        if line.startswith("    ") and not before.strip() and not _in_block(written):
            written += ["::", ""]
        written.append(line if line.startswith("    ") else INLINE_CODE.sub(_literal, line))
        before = line
    lines[:] = written


def _literal(match):
    code, letter = match.groups()
    # "`Detection`s": a letter right after the code must be set apart, invisibly.
    return f"``{code}``\\ {letter}" if letter else f"``{code}``"


def _in_block(written):
    """Whether the last line that is not empty belongs to an indented block already."""
    last = next((line for line in reversed(written) if line.strip()), "")
    return last.startswith("    ")


def links_within_the_site(app, name, source):
    """The folders of the models are no part of the site: what links to one is left as text."""
    source[0] = OUTWARD.sub(r"\1", source[0])


def setup(app):
    app.connect("source-read", links_within_the_site)
    generate.write_api_pages()
    # Before napoleon, which turns "Raises:" into what Sphinx knows.
    app.connect("autodoc-process-docstring", docstring_as_rst, priority=400)
