"""Sphinx: ``sphinx-build -W --keep-going docs docs/_build/html``, no network."""

import os
import runpy
from pathlib import Path

from docutils.nodes import SkipNode, reference
from docutils.utils.math.latex2mathml import tex2mathml
from numpydoc.docscrape_sphinx import SphinxDocString

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import skembed

project = "skembed"
copyright = author = "the skembed developers"
version = release = skembed.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "benchmarks/_*.rst"]
templates_path = ["_templates"]
default_role = "code"
autosummary_generate = True
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["skembed.css"]
html_theme_options = {
    "logo": {"text": "skembed"},
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = dict.fromkeys(
    ("index", "install", "coming_from", "glossary", "contributing"), []
)
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skembed",),
    "reference_url": {"skembed": None},
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
}


_process_param = SphinxDocString._process_param
# Attributes that are properties are described in full, not by their first line.
SphinxDocString._process_param = lambda *args: _process_param(*args[:3], False)


def _inline_math(self, node):
    self.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _block_math(self, node):
    formula = tex2mathml(node.astext(), as_block=True)
    self.body.append(f'<div class="formula">{formula}</div>')
    raise SkipNode


SKLEARN = "https://scikit-learn.org/stable/"
SKLEARN_LABELS = {
    *("accuracy_score", "r2_score", "df_output_transform", "metadata_routing"),
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py",
}


def _link_to_sklearn(app, env, node, contnode):
    """Links to scikit-learn without fetching its inventory."""
    target = node["reftarget"]
    page = f"modules/generated/{target}.html"
    if not target.startswith("sklearn."):
        page = f"search.html?q={target}"
        if target not in SKLEARN_LABELS:
            return None
    return reference("", "", contnode, refuri=SKLEARN + page, internal=False)


def _write_front_report(app, error):
    """The report that the front page shows, made by the code as it is."""
    if error is None and app.builder.format == "html":
        front = runpy.run_path(str(Path(__file__).parent / "make_front.py"))
        front["write_report"](Path(app.outdir) / "flights_report.html")


def setup(app):
    """Formulas as MathML, which browsers draw by themselves; a report in front."""
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
    app.connect("missing-reference", _link_to_sklearn)
    app.connect("build-finished", _write_front_report)
