"""`make page N=06`: one page, built alone."""

import course
import preview
import pytest
from bs4 import BeautifulSoup

ROOT = course.ROOT


@pytest.mark.parametrize("name", ["06", "6", "06-multi-head"])
def test_a_page_is_found_by_its_number_and_by_its_name(name):
    assert preview.find(ROOT, name) == "06-multi-head"


@pytest.mark.parametrize("name", ["", "0", "12", "multi-head", "6-"])
def test_a_page_that_is_not_there_is_refused_with_those_that_are(name):
    with pytest.raises(course.CourseError) as caught:
        preview.find(ROOT, name)
    message = str(caught.value)
    assert f"got {name!r}" in message
    assert all(stem in message for stem in preview.stems(ROOT))


def test_every_page_can_be_asked_for():
    stems = preview.stems(ROOT)
    assert [preview.find(ROOT, stem) for stem in stems] == stems


def test_a_wrong_page_is_told_before_anything_is_installed(
    monkeypatch, capsys
):
    monkeypatch.setattr(course, "set_up", pytest.fail)
    assert course.main(["page", "77"]) == 1
    assert "got '77'. There are 01-" in capsys.readouterr().err


def test_the_lab_comes_on_request():
    def files(lab):
        toc = preview.contents(ROOT, "06-multi-head", lab)
        return [toc["root"], *(entry["file"] for entry in toc["chapters"])]

    page, others = "book/06-multi-head", "book/references"
    assert files(False) == [page, others]
    assert files(True) == [page, "notebooks/06-multi-head", others]


def test_one_page_is_built_and_no_other(capfd):
    stem = "03-query-key-value"
    assert preview.main(["3", "--once"]) == 0, capfd.readouterr().out
    html = ROOT / "_build" / "page" / stem / "_build" / "html"
    text = (html / "book" / f"{stem}.html").read_text("utf-8")
    source = (ROOT / "book" / f"{stem}.md").read_text("utf-8")
    title = next(line for line in source.splitlines() if line[:2] == "# ")
    page = BeautifulSoup(text, "html.parser")
    assert page.article.h1.text.startswith(title[2:])
    built = {path.stem for path in (html / "book").glob("*.html")}
    assert built == {stem, "references"}


def test_a_page_that_fails_says_so_and_ends_nothing(monkeypatch, capsys):
    def fail(*arguments):
        raise course.CourseError("Building the page failed.")

    monkeypatch.setattr(preview, "build", fail)
    preview.rebuild(ROOT, ROOT, {}, changed_paths=[ROOT / "book/a.md"])
    out = capsys.readouterr().out
    assert "Changed: a.md" in out
    assert "failed. The page stays" in out


@pytest.mark.parametrize("name", ["src/a/__pycache__/b.py", "book/.a.md.swp",
    "book/a.md~", "src/b.pyc"])  # fmt: skip
def test_what_no_page_is_made_from_builds_nothing(name):
    from sphinx_autobuild.filter import IgnoreFilter

    ignore = IgnoreFilter([], [preview.NOISE])
    assert ignore(str(ROOT / name))
    assert not ignore(str(ROOT / "book" / "06-multi-head.md"))
    assert not ignore(str(ROOT / "src" / "attn_course" / "heads.py"))
