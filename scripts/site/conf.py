"""How Sphinx builds the site; `scripts/site` gives it the pages."""

import shutil
from pathlib import Path

from becalm import __version__

project = "becalm"
author = "The becalm authors"
project_copyright = "The becalm authors. MIT licence. Research use only: not a medical device"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
exclude_patterns = []
# A word that Pygments has no colours for (csv), and a level of headings that is left out, are no mistakes.
suppress_warnings = ["misc.highlighting_failure", "myst.header"]

myst_heading_anchors = 4
myst_enable_extensions = []

napoleon_google_docstring = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_class_signature = "separated"
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "becalm"
html_static_path = ["own"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
# A page that is opened from a folder cannot read other pages, so results have no excerpts.
html_show_search_summary = False
html_sidebars = {"index": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "show_nav_level": 1,
    "navigation_depth": 2,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "logo": {"text": "becalm"},
    "announcement": "Research use only: not a medical device.",
}


def _examples_apart(app, what, name, obj, options, lines):  # noqa: PLR0917
    """Put a heading before the examples of a docstring, so that they are no part of what stands before them."""
    at = next((n for n, line in enumerate(lines) if line.startswith(">>>")), None)
    if at is not None and not any(line.strip() == "Examples" for line in lines):
        lines[at:at] = ["Examples", "--------"]


def _copy_example(app, failed):
    """Copy the example's report, which is no page of Sphinx, into the site."""
    if failed is None and app.builder.format == "html":
        example = Path(app.srcdir) / "_example"
        shutil.copytree(example, Path(app.outdir) / "example", dirs_exist_ok=True)


def setup(app):
    """Register the two steps of our own; Sphinx calls it."""
    app.connect("autodoc-process-docstring", _examples_apart, priority=1)
    app.connect("build-finished", _copy_example)
    return {"parallel_read_safe": True}
