"""Each page loads the scripts of the elements that stand in it."""

import gzip
import re
import subprocess
import sys

import pytest

from attn_course import widgets
from attn_course.site.mounting import scripts_for
from attn_course.widgets.base import STATIC

CLASSES = [getattr(widgets, name) for name in widgets.__all__]
LIMIT_KB = 60
CONF = """
from attn_course.site import mounting
def setup(app):
    mounting.setup(app)
"""
RAW = """
.. raw:: html

   <attn-mask data-state="{}"></attn-mask><attn-mask></attn-mask>
"""


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_widget_has_a_script_for_the_site_and_one_for_notebooks(kind):
    scripts = scripts_for(f"<p>x</p><{kind._tag} data-state=''>")
    assert scripts == ["attn-widgets.js", f"{kind._tag}.js"]
    text = (STATIC / scripts[1]).read_text("utf-8")
    assert f'"{kind._tag}"' in text
    assert "export" in str(kind._esm)


def test_a_page_asks_for_each_script_once_and_for_no_other():
    assert scripts_for("<p>attn-mask &lt;attn-mask&gt;</p>") == []
    assert scripts_for("<attn-unknown></attn-unknown>") == []
    page = "<attn-qkv></attn-qkv><attn-mask></attn-mask><attn-qkv></attn-qkv>"
    assert scripts_for(page) == [
        "attn-widgets.js",
        "attn-mask.js",
        "attn-qkv.js",
    ]


def test_a_script_is_light():
    sizes = {
        path.name: len(gzip.compress(path.read_bytes())) / 1000
        for path in STATIC.iterdir()
    }
    assert len(sizes) == 2 * len(CLASSES) + 1
    assert max(sizes.values()) <= LIMIT_KB, sizes


def test_sphinx_writes_the_scripts_of_each_page(tmp_path):
    (tmp_path / "conf.py").write_text(CONF, "utf-8")
    (tmp_path / "index.rst").write_text(f"One\n===\n{RAW}", "utf-8")
    (tmp_path / "other.rst").write_text(":orphan:\n\nTwo\n===\n", "utf-8")
    out = tmp_path / "out"
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", tmp_path, out], check=True
    )

    def scripts(name):
        text = (out / name).read_text("utf-8")
        return re.findall(r'<script defer\S* src="_static/(attn-\w+)', text)

    assert scripts("index.html") == ["attn-site", "attn-widgets", "attn-mask"]
    assert scripts("other.html") == ["attn-site"]
    assert (out / "_static" / "attn-mask.js").is_file()
