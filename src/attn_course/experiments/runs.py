"""Carry out the runs of a study: resumable, side by side, the same numbers.

Finished runs are kept beside the recordings until all are there, in one small
file of the repository, so that a sweep outlives the machine that began it.
"""

import gc
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from attn_course.data import store
from attn_course.optional import need

__all__ = ["Cell", "Finished", "Workers", "one_thread"]

Cell = dict[str, Any]


class Finished:
    """The runs of a study that are done: one line of JSON each, compressed.

    Parameters
    ----------
    name
        The study's.
    fingerprint
        Of all that results depend on: results of other code or settings are
        never taken up.
    """

    def __init__(self, name: str, fingerprint: str):
        folder = Path(store.__file__).parent / "recordings" / "unfinished"
        self.path = folder / f"{name}.jsonl.gz"
        self.fingerprint = fingerprint
        self.done = dict(self._read())

    def add(self, cell: Cell, result: Any, seconds: float) -> None:
        """Keep one result: the file is written whole or not at all."""
        entry = {"result": result, "seconds": round(seconds, 1)}
        self.done[_key(cell)] = entry
        lines = [
            json.dumps([self.fingerprint, key, entry])
            for key, entry in self.done.items()
        ]
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
        draft.replace(self.path)

    def complete(
        self,
        run: Callable[[Cell], Any],
        cells: Sequence[Cell],
        workers: "Workers",
        say: Callable[[str], None],
    ) -> list[dict[str, Any]]:
        """Call `run(cell)` for each cell that is not done yet.

        Returns
        -------
        list of dict
            For each cell, in order: `result` and `seconds`.
        """
        missing = [cell for cell in cells if _key(cell) not in self.done]
        there = len(cells) - len(missing)
        if there:
            say(f"  {there} of {len(cells)} runs are there already")
        began = time.perf_counter()
        ran = workers.carry_out(run, missing)
        for count, (cell, result, seconds) in enumerate(ran, start=1):
            self.add(cell, result, seconds)
            each = (time.perf_counter() - began) / count
            left = each * (len(missing) - count) / 60
            say(
                f"  {there + count}/{len(cells)} runs, about {left:.1f} min "
                "left"
            )
        return [self.done[_key(cell)] for cell in cells]

    def discard(self) -> None:
        """Forget every result: the whole is recorded."""
        self.path.unlink(missing_ok=True)
        self.done = {}

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Read what is there; what can't be read is as good as missing."""
        try:
            text = gzip.decompress(self.path.read_bytes()).decode()
            lines = [json.loads(line) for line in text.splitlines()]
        except (EOFError, OSError, ValueError, zlib.error):
            return
        for fingerprint, key, entry in lines:
            if fingerprint == self.fingerprint:
                yield key, entry


class Workers(AbstractContextManager):
    """Who carries out runs: this process, several, or a Dask cluster."""

    def __init__(self, jobs: int = 1, scheduler: str | None = None):
        self.pool: Any = None
        if scheduler is not None:
            self.pool = _client(scheduler)
        elif jobs > 1:
            self.pool = futures.ProcessPoolExecutor(jobs)

    def __exit__(self, *_: Any) -> None:
        if isinstance(self.pool, futures.Executor):
            self.pool.shutdown(cancel_futures=True)
        elif self.pool is not None:
            self.pool.close()

    def carry_out(
        self, run: Callable[[Cell], Any], cells: Sequence[Cell]
    ) -> Iterator[tuple[Cell, Any, float]]:
        """Give each cell's result and seconds, in the order they come.

        Where others carry it out, `run` must be a function that they find.
        """
        if self.pool is None:
            for cell in cells:
                yield (cell, *timed(run, cell))
            return
        sent = {self.pool.submit(timed, run, cell): cell for cell in cells}
        if isinstance(self.pool, futures.Executor):
            ended = futures.as_completed(sent)
        else:
            from distributed import as_completed

            ended = as_completed(list(sent))
        for future in ended:
            yield (sent[future], *future.result())


def _client(scheduler: str) -> Any:
    """Connect to a Dask cluster."""
    from distributed import Client

    try:
        return Client(scheduler)
    except (OSError, ValueError) as error:
        said = str(error)
    # A client that came to nothing is closed when it is collected. If that
    # happens while the next one starts, both wait for one lock, for ever.
    gc.collect()
    raise ValueError(
        "expected the address of a Dask scheduler that runs, as "
        f"tcp://host:8786, got {scheduler!r}: {said}"
    )


def timed(run: Callable[[Cell], Any], cell: Cell) -> tuple[Any, float]:
    """Carry out one run on one thread; give its result and seconds."""
    began = time.perf_counter()
    with one_thread():
        result = run(cell)
    return result, time.perf_counter() - began


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread for a while: the same numbers, and no waiting."""
    torch = need("torch")

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _key(cell: Cell) -> str:
    return json.dumps(cell, sort_keys=True)
