"""What a change in AttentionSteps costs, with 16 words, and if play is smooth.

    python benchmarks/attention_steps.py

The work of a change is the script from the event to the end of the frame's
callback. The numbers are of this machine and this run: on a machine that does
other things too, read the smallest. Needs Chromium.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "site")]

import course  # noqa: E402
from browsing import write_bare_page  # noqa: E402

from attn_course.widgets import AttentionSteps  # noqa: E402

WORDS = [f"word{i}" for i in range(16)]
CHANGES, SECONDS = 100, 8

# Make a change, and time it and the callbacks of its frame.
TIMED = """async ([n, changes]) => {
  const element = document.querySelectorAll("attn-steps")[n];
  const root = element.firstElementChild.shadowRoot;
  const ask = window.requestAnimationFrame.bind(window);
  let work = 0;
  const timed = (run) => (at) => {
    const start = performance.now();
    run(at);
    work += performance.now() - start;
  };
  window.requestAnimationFrame = (run) => ask(timed(run));
  const find = (css) => [...root.querySelectorAll(css)];
  const press = (key) => (i) => find(".one .num.edit")[0].dispatchEvent(
    new KeyboardEvent("keydown", {key: key[i % 2], bubbles: true}));
  const kinds = {
    number: press(["ArrowUp", "ArrowDown"]),
    step: (i) => find(".player button")[i % 2 ? 2 : 1].click(),
    word: (i) => find(".one [data-asks]")[i % 16].dispatchEvent(
      new MouseEvent("click", {bubbles: true})),
  };
  const found = {};
  for (const [kind, change] of Object.entries(kinds)) {
    found[kind] = [];
    for (let i = -10; i < changes; i++) {
      work = 0;
      timed(() => change(i + 10))();
      await new Promise((go) => ask(() => ask(go)));
      // A step and a word move for a while; a number does not.
      await new Promise((go) => setTimeout(go, kind === "number" ? 0 : 320));
      if (i >= 0) found[kind].push(work);
    }
  }
  window.requestAnimationFrame = ask;
  return found;
}"""

PLAYED = """async ([n, seconds]) => {
  const element = document.querySelectorAll("attn-steps")[n];
  const root = element.firstElementChild.shadowRoot;
  element.scrollIntoView();
  root.querySelector(".scrub").dispatchEvent(
    new KeyboardEvent("keydown", {key: "Home", bubbles: true}));
  root.querySelector(".play").click();
  const times = [];
  await new Promise((go) => {
    const look = (at) => {
      times.push(at);
      at - times[0] < 1000 * seconds ? requestAnimationFrame(look) : go();
    };
    requestAnimationFrame(look);
  });
  return times.slice(1).map((at, i) => at - times[i]);
}"""


def figures():
    """Give 16 words by hand, and 16 with the vectors of a head."""
    rng = np.random.default_rng(0)
    for d in (2, 64):
        arrays = (rng.normal(size=(16, d)).round(1) for _ in range(3))
        yield AttentionSteps(
            *arrays, tokens=WORDS, asks=7, step=6, name=f"steps-{d}"
        )


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as web:
        body = "".join(figure.html() for figure in figures())
        page = web.chromium.launch(
            executable_path=course.find_browser(),
            args=["--no-sandbox", "--disable-gpu"],
        ).new_page(viewport={"width": 1000, "height": 900})
        page.goto(write_bare_page(Path(folder), body).as_uri())
        for kind, times in page.evaluate(TIMED, [0, CHANGES]).items():
            print(
                f"a {kind}: smallest {min(times):.2f} ms, "
                f"median {statistics.median(times):.2f}, "
                f"p95 {np.quantile(times, 0.95):.2f}"
            )
        for n in (0, 1):
            gaps = page.evaluate(PLAYED, [n, SECONDS])
            print(
                f"playing: {1000 / statistics.mean(gaps):.1f} frames/s, "
                f"p95 of a frame {np.quantile(gaps, 0.95):.1f} ms"
            )


if __name__ == "__main__":
    main()
