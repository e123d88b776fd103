"""How long `import attn_course` takes, beside NumPy alone, in one run.

python benchmarks/import_time.py
"""

import statistics
import subprocess
import sys

RUNS = 9
CASES = {
    "numpy": "import numpy",
    "attn_course": "import numpy, attn_course",
    "attn_course.attention": "from attn_course import attention",
    "attn_course.widgets": "import attn_course.widgets",
}
TIMER = "import time; t = time.perf_counter(); {}; "
PRINT = "print(time.perf_counter() - t)"


def seconds(code: str) -> float:
    call = [sys.executable, "-c", TIMER.format(code) + PRINT]
    times = [
        float(subprocess.run(call, capture_output=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return statistics.median(times)


def main() -> None:
    base = seconds(CASES["numpy"])
    for name, code in CASES.items():
        taken = seconds(code)
        print(
            f"{name:24s}{1000 * taken:7.0f} ms "
            f"{taken / base:6.2f}x numpy, {1000 * (taken - base):+.0f} ms"
        )


if __name__ == "__main__":
    main()
