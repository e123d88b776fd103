"""The parts of the Sphinx extension, each on its own."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import course
import pytest
from docutils import nodes
from docutils.utils import new_document

from attn_course.handover import MIME
from attn_course.site.alt_text import images_without_alt
from attn_course.site.icons import drop_rules, used_codes, used_names
from attn_course.site.launching import launches, menu
from attn_course.site.lightening import is_needed
from attn_course.site.maths import be_patient
from attn_course.site.outputs import DataOutput
from attn_course.site.runs import report_of
from attn_course.site.templates import group_the_tree


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


# --- Alt text -------------------------------------------------------------


def tree(*children: nodes.Node) -> nodes.document:
    document = new_document("page")
    document += nodes.section("", *children)
    return document


@pytest.mark.parametrize("alt", [None, "", "  "])
def test_an_image_without_words_is_found(alt):
    image = nodes.image(uri="map.png")
    if alt is not None:
        image["alt"] = alt
    figure = nodes.figure("", image)
    assert [uri for _, uri in images_without_alt(tree(figure))] == ["map.png"]


def test_an_image_in_html_is_found_too():
    page = '<p><img src="a.png"><IMG src="b.png" alt="A map"><img alt></p>'
    raw = nodes.raw("", page, format="html")
    assert [uri for _, uri in images_without_alt(tree(raw))] == ["a.png", ""]


def test_images_with_words_and_other_formats_pass():
    image = nodes.image(uri="map.png", alt="Weights of the first head")
    latex = nodes.raw("", "<img>", format="latex")
    assert list(images_without_alt(tree(image, latex))) == []


@pytest.mark.parametrize("alt", ["", "   :alt: A dot\n"])
def test_a_page_with_a_silent_image_does_not_build(tmp_path, alt):
    write(
        tmp_path,
        "conf.py",
        "from attn_course.site import alt_text\n"
        "def setup(app):\n    alt_text.setup(app)\n",
    )
    write(tmp_path, "index.rst", f"Title\n=====\n\n.. image:: dot.svg\n{alt}")
    write(
        tmp_path, "dot.svg", '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
    )
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", tmp_path,
         tmp_path / "out"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert bool(done.returncode) == (not alt), done.stderr
    assert ("image without alt text: dot.svg" in done.stderr) == (not alt)


# --- Executed notebooks ---------------------------------------------------


PAGE = """---
file_format: mystnb
kernelspec: {{name: python3, display_name: Python 3}}
---

# Title

```{{code-cell}}
from attn_course import masks

print(open({value!r}).read())
{more}
```
"""


def test_a_real_build_follows_the_package_and_survives_a_failure(tmp_path):
    """With the course's own settings, in a book of one page."""
    root = tmp_path / "course"
    value = write(root, "src/attn_course/masks.py", "# first answer")
    settings = (course.ROOT / "_config.yml").read_text("utf-8")
    write(root, "_config.yml", settings)
    write(root, "_toc.yml", "format: jb-book\nroot: book/index\n")
    write(root, "constraints.txt", "")
    write(root, "book/references.bib", "")
    page = write(root, "book/index.md", PAGE.format(value=str(value), more=""))
    build = root / "_build"
    command = course.sphinx_command(root, build / "work")
    command[0] = course.in_venv(command[0].stem, Path(sys.prefix))

    def shown() -> str:
        assert course.build_site(root, build, command)
        return (build / "site" / "book" / "index.html").read_text("utf-8")

    assert "first answer" in shown()
    value.write_text("# second answer")
    assert "second answer" in shown()
    page.write_text(PAGE.format(value=str(value), more="1 / 0"))
    for _ in range(2):
        with pytest.raises(course.CourseError):
            shown()
        kept = (build / "site" / "book" / "index.html").read_text("utf-8")
        assert "second answer" in kept
        assert "1 / 0" not in kept
    assert (build / "pages" / "index.ipynb").is_file()


# --- Lighter pages --------------------------------------------------------


def test_only_rules_and_characters_of_used_icons_stay():
    style = (
        '.fa-sun:before{content:"\\f185"}'
        '.fa-cog:before,.fa-gear:before{content:"\\f013"}'
        '.fa-moon:before{content:"\\f186"}'
        '.note:before{content:"\\f05a"}'
        '@font-face{src:url(a.woff2) format("woff2"),'
        'url(a.ttf) format("truetype")}'
    )
    names = used_names(['<i class="fa-solid fa-gear fa-lg"></i> fa-moons'])
    kept = drop_rules(style, names)
    assert kept == (
        '.fa-cog:before,.fa-gear:before{content:"\\f013"}'
        '.note:before{content:"\\f05a"}'
        '@font-face{src:url(a.woff2) format("woff2")}'
    )
    assert used_codes([kept]) == {0xF013, 0xF05A}


def script(filename=None, **attributes):
    return SimpleNamespace(filename=filename, attributes=attributes)


def test_widget_state_and_thebe_leave_the_page():
    state = "application/vnd.jupyter.widget-state+json"
    assert not is_needed(script(type=state))
    assert not is_needed(script("_static/sphinx-thebe.js"))
    assert not is_needed(script("_static/searchtools.js"))
    assert is_needed(script("_static/attn-widgets.js", defer="defer"))
    assert is_needed(script(None, body="DOCUMENTATION_OPTIONS = {}"))


@pytest.mark.parametrize(
    ("file", "body"),
    [
        (script("_static/copybutton.js"), '<div class="highlight-python">'),
        (script("_static/katex.min.css"), '<span class="katex">'),
        (script(None, body="let toggleHintShow = 1"), '<p class="toggle">'),
    ],
)
def test_what_few_pages_need_stands_on_those(file, body):
    assert is_needed(file, body)
    assert not is_needed(file, "<p>text</p>")


# --- The contents ---------------------------------------------------------


def test_the_contents_fold_in_groups():
    from bs4 import BeautifulSoup

    caption = "<p class='caption'><span class='caption-text'>{}</span></p>"
    names = ["Read", "Labs", "Teach"]
    trees = ["nav", "current nav", "nav"]
    soup = BeautifulSoup(
        "<div>"
        + "\n".join(
            f"{caption.format(name)}<ul class='{tree}'><li>{name} 1</li></ul>"
            for name, tree in zip(names, trees, strict=True)
        )
        + "</div>",
        "html.parser",
    )
    groups = group_the_tree(soup).select("details")
    assert [group.summary.get_text() for group in groups] == names
    assert [group.li.get_text() for group in groups] == [
        f"{name} 1" for name in names
    ]
    # Lessons, and where the reader is.
    assert [group.has_attr("open") for group in groups] == [True, True, False]
    assert not soup.select("p.caption")


def test_contents_without_groups_stay_as_they_are():
    from bs4 import BeautifulSoup

    text = '<ul class="nav"><li>One</li></ul>'
    assert str(group_the_tree(BeautifulSoup(text, "html.parser"))) == text


# --- The menus in the header ----------------------------------------------


def link(text, label="x"):
    return {"type": "link", "text": text, "url": f"to/{text}", "label": label}


LAUNCH = {
    "label": "launch-buttons",
    "buttons": [link("Binder"), link("Colab")],
}


def test_a_lab_says_how_to_run_it():
    ways = launches([LAUNCH], "x.ipynb", "how.html")
    assert [(way["text"], way["url"]) for way in ways] == [
        ("On Colab", "to/Colab"),
        ("On Binder", "to/Binder"),
        ("Download the notebook", "x.ipynb"),
        ("In JupyterLab", "how.html"),
    ]


def test_the_menu_has_what_is_left():
    group = {"buttons": [link(".md", "download-source-button")]}
    full = {"type": "javascript", "label": "fullscreen-button", "text": ""}
    names = [one["text"] for one in menu([LAUNCH, group, full])]
    assert names == ["Full screen", "Source of this page"]


# --- Outputs that carry data ----------------------------------------------


def test_data_outputs_are_shown_as_nothing():
    shown = [
        DataOutput.handle_mime(
            None, SimpleNamespace(mime_type=kind, content=content), False
        )
        for kind, content in [
            (MIME, {}),
            ("text/plain", ""),
            ("text/plain", "''"),
            ("image/png", ""),
        ]
    ]
    assert shown == [[], [], None, None]


def test_a_run_is_read_from_the_outputs():
    run = {"kind": "run", "seconds": 3.5, "peak_mb": 410, "threads": 1}
    claim = {"kind": "claim", "id": "3.1"}
    cells = [
        {"cell_type": "markdown"},
        {"outputs": [{"output_type": "stream", "text": "x"}]},
        {"outputs": [{"data": {MIME: claim}}]},
        {"outputs": [{"data": {MIME: run}}]},
    ]
    assert report_of({"cells": cells}) == run
    assert report_of({"cells": cells[:3]}) is None


def test_the_maths_server_is_started_again(tmp_path):
    tried = []

    def start(cls, rundir, timeout):
        tried.append(rundir)
        if len(tried) < 3:
            raise ConnectionRefusedError
        return "process", "socket"

    answer = be_patient(start)(None, tmp_path, 1.0)
    assert answer == ("process", "socket")
    assert len(set(tried)) == 3 and all(path.is_dir() for path in tried)
    for folder in tried:
        folder.rmdir()
    with pytest.raises(ConnectionRefusedError):
        tried.clear()
        be_patient(start, tries=2)(None, tmp_path, 1.0)
