"""Style sheets lose the rules that no page can use, and no others."""

import pytest

from attn_course.site.styles import prune, words

KNOWN = {"note", "open", "main"}


@pytest.mark.parametrize(
    "style",
    [
        "p{color:red}",
        ".note{color:red}",
        "#main>.note:hover{color:red}",
        ".note:not(.gone){color:red}",
        ":is(.gone,.note){color:red}",
        'a[href$=".gone"]{color:red}',
        '.note:before{content:"}"}',
        "@font-face{font-family:x;src:url(x.woff2)}",
        "@media print{.note{color:red}}",
        '@charset "utf-8";',
        "@keyframes gone{0%{left:0}to{left:1px}}",
        ".note{background:url(data:image/png;base64,aa==)}",
    ],
)
def test_a_rule_that_may_be_used_stays(style):
    assert prune(style, KNOWN) == style


@pytest.mark.parametrize(
    "style",
    [
        ".gone{color:red}",
        "#gone .note{color:red}",
        ".note.gone{color:red}",
        "@media print{.gone{color:red}}",
        "@supports (x:y){@media print{.gone{color:red}}}",
        "/* a comment */",
    ],
)
def test_a_rule_for_nothing_goes(style):
    assert prune(style, KNOWN) == ""


def test_of_several_selectors_those_stay_that_fit():
    style = ".gone,.note:is(.a,.b),p .gone{x:y}.gone{x:y}.open{x:y}"
    assert prune(style, KNOWN) == ".note:is(.a,.b){x:y}.open{x:y}"


def test_names_are_found_in_pages_and_scripts():
    page = '<p class="note is-open" id=main>e.classList.add("late")</p>'
    assert {"note", "is-open", "main", "late"} <= words(page)
