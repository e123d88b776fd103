"""Answers that are a function with something replaced."""

import pytest

from attn_course.exercises.edits import edited


def area(width, height):
    """Give the area."""
    longer = max(width, height)
    return longer * min(width, height)


def changed(table):
    (answer,) = edited(area, table)
    return answer


def test_each_entry_is_an_answer_with_its_name_and_its_sentence():
    table = """
no_minimum: You took the longer side twice: one
        is the shorter.
    min(width → max(width
perimeter: You went round it: multiply.
    longer * min(width, height) → 2 * (width + height)
    """
    answers = list(edited(area, table))
    assert [x.__name__ for x in answers] == ["no_minimum", "perimeter"]
    assert answers[0].__doc__ == (
        "You took the longer side twice: one is the shorter."
    )
    assert [x(2, 5) for x in answers] == [25, 14]
    assert area(2, 5) == 10


def test_changes_are_carried_out_one_after_the_other():
    answer = changed("""
swapped: Twice.
    max → min
    longer * min( → longer * max(
""")
    assert answer(2, 5) == area(2, 5)


def test_nothing_behind_an_arrow_takes_something_out():
    assert changed("side: One side.\n    * min(width, height) →")(2, 5) == 5


def test_nothing_before_an_arrow_gives_what_is_returned():
    answer = changed("doubled: Twice as much.\n    → 2 * area(width, height)")
    assert answer(width=2, height=5) == 20


@pytest.mark.parametrize("table", ["", "    wrong: Set in.\n        a → b"])
def test_a_table_without_entries_is_refused(table):
    with pytest.raises(ValueError, match="expected entries"):
        list(edited(area, table))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("depth → 1", "0 times"),
        ("width → 1", "3 times"),
        ("longer * min → longer * min", "something else"),
        ("", "to replace something"),
    ],
)
def test_what_can_not_be_replaced_is_refused(change, words):
    with pytest.raises(ValueError, match=words) as caught:
        changed(f"wrong: A sentence.\n    {change}")
    assert "wrong" in str(caught.value)
