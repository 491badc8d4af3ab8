"""Sphinx: ``sphinx-build -W --keep-going docs docs/_build/html``, no network."""

import os
import sys
import warnings
from pathlib import Path

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx_gallery.sorting import FileNameSortKey

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import skembed

project = "skembed"
author = "the skembed developers"
copyright = author
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
suppress_warnings = ["config.cache"]  # functions in the gallery's configuration
default_role = "code"
add_module_names = False
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "skembed"
html_static_path = ["_static"]
html_css_files = ["skembed.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skembed"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "install": [], "coming_from": []}
html_math_renderer = "mathml"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skembed",),
    "reference_url": {"skembed": None},
    "within_subsection_order": FileNameSortKey,
    "remove_config_comments": True,
    "show_memory": False,
    "plot_gallery": "True",
    "matplotlib_animations": False,
    "abort_on_example_error": False,
    "image_scrapers": ("matplotlib",),
}

warnings.filterwarnings("ignore", category=DeprecationWarning)


def _inline_math(self, node):
    self.body.append(tex2mathml(node.astext()))
    raise SkipNode


def _block_math(self, node):
    formula = tex2mathml(node.astext(), as_block=True)
    self.body.append(f'<div class="formula">{formula}</div>')
    raise SkipNode


def setup(app):
    """Formulas as MathML, which browsers draw by themselves."""
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
