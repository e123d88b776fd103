"""The chapter in CONTRIBUTING.md builds as it stands there."""

import re

import course
import tiny_book

TEXT = (course.ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_chapter_builds(tmp_path):
    (page,) = re.findall(r"^````markdown\n(.*?)^````$", TEXT, re.S | re.M)
    tiny_book.start(tmp_path, "")
    tiny_book.write(tmp_path, "book/index.md", page)
    clean, said = tiny_book.build(tmp_path)
    assert clean, said
    html = (tiny_book.site(tmp_path) / "book/index.html").read_text("utf-8")
    assert ">0.33<" in html and "Two thirds." in html
