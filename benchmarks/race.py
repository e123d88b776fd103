"""Recurrent layers against self-attention as the length grows, in one run.

    python benchmarks/race.py

What chapter 7 shows is recorded by `attn-course experiments --only race`;
this prints the same comparison of this machine and this run, and keeps
nothing. The ratios are what to read.
"""

import itertools

from attn_course import race
from attn_course.experiments.race import (
    BATCHES,
    PASSES,
    SETTINGS,
    THREADS,
    measure,
)


def report(rows):
    lengths = SETTINGS["lengths"]
    print(f"Median ms at width {SETTINGS['d_model']}; times the fused ones")
    medians = {
        (r["threads"], r["batch"], r["pass"], r["layer"]): [
            q and q[1] for q in r["ms"]
        ]
        for r in rows
    }
    for threads, batch, way in itertools.product(THREADS, BATCHES, PASSES):
        print(f"{way}, batch {batch}, threads: {threads}")
        print(" " * 18 + "".join(f"{n:>9d}" for n in lengths))
        base = medians[threads, batch, way, "attention, fused"]
        for name in race.LAYERS:
            ms = medians[threads, batch, way, name]
            cells = "".join(
                "        –" if m is None else f"{m / b:8.1f}x"
                for m, b in zip(ms, base, strict=True)
            )
            print(f"  {name:16s}{cells}")
        shown = ("        –" if b is None else f"{b:9.2f}" for b in base)
        print(" " * 18 + "".join(shown))


def main():
    found = measure()
    report(found["records"])
    print("Matrix products that must wait for one another")
    for row in found["waits"]:
        print(f"  {row['layer']:12s}{row['pass']:22s}{row['products']}")


if __name__ == "__main__":
    main()
