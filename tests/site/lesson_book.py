"""A small book with what lessons are made of: guesses, numbers, terms."""

import tiny_book

from attn_course.widgets import SoftmaxLab

TOC = """chapters:
- file: book/words
- file: book/claims
- file: book/evidence/03
"""

LESSON = r"""# Lesson

:::{guess} Which word will *it* look at?
Multiply before you look.

- [ ] cat | It shares one number, as the others do.
- [ ] mat
- [x] All three

+++
Every score is the same, so a {term}`softmax` gives equal shares.
:::

:::{guess} How steep is the growth?
:range: 0 2
:unit: per step
:truth: 3.scaling-size.slope:.2f
:veils: lab

+++
It is proportional.

```{study-figure} random-scores variances
```
:::

:::{guess} How does the variance grow with $d$?
:curve:
:x: d
:y: variance
:log: x y
:range: 0.5 2000
:truth: random-scores variance over d where mean=0.0

+++
The slope is {claim}`3.scaling-size.slope:spread`, whatever the {term}`seeds
<seed>`.
:::

WIDGET

:::{question} What is $1 + 1$?
:taught: [the words](words.md)
- [x] Two | Yes.
- [ ] Three | One too many.
:::

:::{question} What is $1 + 2$?
:taught: [the words](words.md)
- [ ] Two | One too few.
- [x] Three | Yes.
:::

```{tally}
```
"""

WORDS = """# Words

:::{glossary}
softmax
  Turns any numbers into shares, `exp` first: the larger, the more.

  More in [the lesson](index.md).

seed
  The number that random numbers start from.

  More in [the evidence](evidence/03.md).
:::
"""

EVIDENCE = """# Evidence

```{study} random-scores
```

The slope is {claim}`3.scaling-size.slope:spread`.
"""


def build(root):
    """Build the book into a folder; give the folder of the site."""
    widget = SoftmaxLab(name="lab").html()
    raw = f"```{{raw}} html\n{widget}\n```"
    tiny_book.start(root, TOC)
    tiny_book.write(root, "book/index.md", LESSON.replace("WIDGET", raw))
    tiny_book.write(root, "book/words.md", WORDS)
    tiny_book.write(root, "book/claims.md", "# Claims\n")
    tiny_book.write(root, "book/evidence/03.md", EVIDENCE)
    clean, said = tiny_book.build(root)
    assert clean, said
    return tiny_book.site(root)
