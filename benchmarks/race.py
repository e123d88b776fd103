"""Recurrent layers against self-attention as the length grows, in one run.

    python benchmarks/race.py
    python benchmarks/race.py --record  # keeps the numbers for chapter 7

Forward alone, and forward and backward; one sequence, and 16 at once; one
thread, and two. On one thread nothing runs at the same time as anything
else: what is compared there is the matrix library with one call a step
against few large calls. The layers take turns in every round, so that what
else the machine does falls on all of them. The numbers are of this machine
and this run; the ratios are what to read.
"""

import itertools
import sys

import numpy as np
import torch

from attn_course import race
from attn_course.data import save_recording
from attn_course.experiments import machine, provenance

LENGTHS = [16, 32, 64, 128, 256, 512, 1024, 2048]
COUNTED = [16, 32, 64, 128, 256, 512]
BATCHES, THREADS, D_MODEL, HEADS, ROUNDS = [1, 16], [1, 2], 64, 4, 5
PASSES = {"forward": False, "forward and backward": True}
# Words of all sequences together, at most: more take minutes.
MOST_WORDS = 8192
# Short calls are made several times a round, of which the fastest counts.
SHORT, CALLS = 1024, 5
CODE = ("race.py", "critical_path.py", "functional.py", "heads.py")


def conditions():
    for threads, batch, way in itertools.product(THREADS, BATCHES, PASSES):
        for name in race.LAYERS:
            yield threads, batch, way, name


def measure(say=print):
    """Time all; milliseconds by condition: one list of rounds a length."""
    layers = {
        name: race.make(name, d_model=D_MODEL, heads=HEADS)
        for name in race.LAYERS
    }
    rng = torch.Generator().manual_seed(0)
    found = {c: [[] for _ in LENGTHS] for c in conditions()}
    for i in range(ROUNDS):
        for condition in found:
            threads, batch, way, name = condition
            torch.set_num_threads(threads)
            for place, n in enumerate(LENGTHS):
                if batch * n > MOST_WORDS:
                    continue
                x = torch.randn(batch, n, D_MODEL, generator=rng)
                taken = race.seconds(
                    layers[name], x, backward=PASSES[way],
                    repeats=CALLS if batch * n <= SHORT else 1,
                )  # fmt: skip
                found[condition][place].append(round(1000 * min(taken), 4))
        say(f"round {i + 1} of {ROUNDS}", flush=True)
    return found


def quartiles(times):
    """Give the lower quartile, median and upper quartile; None for none."""
    if not times:
        return None
    return [round(float(x), 4) for x in np.quantile(times, [0.25, 0.5, 0.75])]


def records(found):
    names = ("threads", "batch", "pass", "layer")
    return [
        {
            **dict(zip(names, condition, strict=True)),
            "ms": [quartiles(times) for times in by_length],
        }
        for condition, by_length in found.items()
    ]


def counts():
    """Count the steps that wait for one another, by layer and length."""
    rows = []
    for name, way in itertools.product(race.LAYERS[:4], PASSES):
        paths = [race.waits(name, n, backward=PASSES[way]) for n in COUNTED]
        units = paths[0]._fields
        rows.append(
            {
                "layer": name,
                "pass": way,
                **{u: [getattr(p, u) for p in paths] for u in units},
            }
        )
    return rows


def report(rows):
    print(f"Median ms at width {D_MODEL}; times the fused attention's")
    medians = {
        (r["threads"], r["batch"], r["pass"], r["layer"]): [
            q and q[1] for q in r["ms"]
        ]
        for r in rows
    }
    for threads, batch, way in itertools.product(THREADS, BATCHES, PASSES):
        print(f"{way}, batch {batch}, threads: {threads}")
        print(" " * 18 + "".join(f"{n:>9d}" for n in LENGTHS))
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
    measured_on = machine()
    rows = records(measure())
    waiting = counts()
    report(rows)
    print("Matrix products that must wait for one another")
    for row in waiting:
        print(f"  {row['layer']:12s}{row['pass']:22s}{row['products']}")
    if "--record" not in sys.argv[1:]:
        return
    made = provenance("race", seeds=[], packages=["torch"], code=CODE)
    made["command"] = "python benchmarks/race.py --record"
    save_recording(
        "race",
        {
            "about": (
                "Milliseconds of recurrent layers and of self-attention by "
                f"length: lower quartile, median, upper quartile of {ROUNDS} "
                f"rounds on one machine, up to {SHORT} words the fastest of "
                f"{CALLS} calls in each; and how many steps must wait for "
                "one another, counted from the operations."
            ),
            "settings": {
                "lengths": LENGTHS,
                "counted": COUNTED,
                "d_model": D_MODEL,
                "heads": HEADS,
                "rounds": ROUNDS,
                "most_words": MOST_WORDS,
            },
            "machine": measured_on,
            "parameters": {
                name: sum(p.numel() for p in race.make(name).parameters())
                for name in race.LAYERS
            },
            "records": rows,
            "waits": waiting,
            "recorded": made,
        },
    )


if __name__ == "__main__":
    main()
