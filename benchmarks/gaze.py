"""The work of one change of GazeExplorer in the page, in one run.

    python benchmarks/gaze.py

Times, for the largest photograph, a move of the fovea, a step along a path
and another width of the picture. The numbers are of this machine and this
run; the ratios are what to read. Needs Chromium.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import course  # noqa: E402

from attn_course.site.assets import write_scripts  # noqa: E402
from attn_course.site.mounting import scripts_for  # noqa: E402
from attn_course.widgets import GazeExplorer  # noqa: E402
from attn_course.widgets.base import STATIC  # noqa: E402

FLAGS = [
    "--no-sandbox", "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
CHANGES = {
    "the fovea moves": "({path: 'free look', x: (i % 50) / 50, y: 0.4})",
    "one fixation more": "({path: 'saliency', step: 1 + (i % 15)})",
    "one fixation fewer": "({path: 'saliency', step: 15 - (i % 15)})",
    "another width": "({path: 'saliency', step: 15, degrees: 5 + (i % 75)})",
}
TIME = """async (changes) => {
  const {handle} = document.querySelector('attn-gaze');
  const times = [];
  for (let i = 0; i < 150; i++) {
    const start = performance.now();
    handle.update(CHANGE);
    handle.flush();
    times.push(performance.now() - start);
    await new Promise((go) => requestAnimationFrame(go));
  }
  return times.slice(50);
}"""


def main():
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        folder = Path(name)
        write_scripts(folder / "attn-assets")
        body = GazeExplorer(["hopper"]).html()
        scripts = scripts_for(body)
        for script in scripts:
            shutil.copy(STATIC / script, folder)
        tags = "".join(f"<script defer src={s}></script>" for s in scripts)
        (folder / "index.html").write_text(
            f"<!doctype html><meta charset=utf-8>{tags}<body>{body}", "utf-8"
        )
        browser = play.chromium.launch(
            executable_path=course.find_browser(), args=FLAGS
        )
        tab = browser.new_page()
        tab.goto((folder / "index.html").as_uri())
        tab.wait_for_timeout(3_000)  # the picture is there, and blurred
        print("Work of one change, 512 x 600 pixels, ms: median, p95")
        first = None
        for what, change in CHANGES.items():
            times = tab.evaluate(TIME.replace("CHANGE", change))
            middle, late = np.quantile(times, [0.5, 0.95])
            first = first or middle
            print(f"  {what:20s}{middle:8.2f}{late:8.2f}"
                  f"  ({middle / first:.1f}x)")  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()
