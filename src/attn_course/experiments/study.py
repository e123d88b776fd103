"""A study: one question, one design, every run of it, and what came out.

One declaration holds all that is known of an experiment. From it follow the
runs (arms × sweep × seeds), the recording, whether that is current, the rules
of evidence that it breaks, its figures and the numbers of its claims:

    STUDY = Study("induction", chapter=6, question="…", design=__doc__,
                  arms={"model": MODELS}, sweep={"learning_rate": RATES})

    @STUDY.run
    def one(model, learning_rate, seed): ...  # one run → what it measured
"""

import hashlib
import inspect
import itertools
import json
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from attn_course import data
from attn_course.data import load_recording, recordings, save_recording
from attn_course.experiments.code_hash import code_hash, files_of
from attn_course.experiments.runs import Cell, Finished, Workers
from attn_course.provenance import commit_of, provenance, version_of

__all__ = ["Drawing", "Study", "declared_files", "declared_in"]

Grid = Sequence[Any] | Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Drawing:
    """A figure of a study: what is seen on it, and who draws it."""

    alt: str
    draw: Callable[[Mapping[str, Any]], Any]


@dataclass(eq=False)
class Study:
    """An experiment, declared once.

    Parameters
    ----------
    name
        Of the recording: `"induction"`.
    chapter
        Whose evidence page shows it.
    question
        What it asks, as a reader would.
    design
        How it is answered, and what was tuned beforehand: the module's text.
    arms
        What is compared: factor → its levels. An arm is one level of each;
        all get the same care.
    sweep
        The settings that each arm is tried with: name → grid, or a function
        that gives the grid of an arm.
    only
        Which arms there are, where not all levels go together.
    seeds
        How many seeds each setting runs with; 0 where there is no chance.
    settings
        What all runs share: steps, batch, sizes. Where `seeds` is 0 but a
        control has chance in it, its seeds: `{"seeds": [0, 1, 2]}`.
    chosen_by
        The key of a record by which the best setting of an arm is chosen:
        the lowest mean over seeds.
    baseline
        The key of `summary` that holds the loss of what learns nothing.
    trains
        Whether runs train a model, so that it is asked whether training was
        over; what has `chosen_by` does.
    rests_on
        Names of other recordings that are read: a rule that one of them
        breaks counts here, too.
    packages
        Installed packages to be named with their versions.
    needs
        Those without which the result would be another: a model's weights.
    data
        Files below `attn_course/data` that are read: `"requests.toml"`.
    code
        What the result depends on beside the functions that are registered
        and all that they reach: functions, classes, (module, constant).
    tolerance
        How far a number may be off when it is measured again.
    """

    name: str
    chapter: int
    question: str
    design: str
    arms: Mapping[str, Collection[Any]] = field(default_factory=dict)
    sweep: Mapping[str, Grid] = field(default_factory=dict)
    only: Callable[..., bool] = lambda **arm: True
    seeds: int = 3
    settings: Mapping[str, Any] = field(default_factory=dict)
    chosen_by: str | None = None
    baseline: str | None = None
    trains: bool = False
    rests_on: Sequence[str] = ()
    packages: Sequence[str] = ()
    needs: Sequence[str] = ()
    data: Sequence[str] = ()
    code: Sequence[Any] = ()
    tolerance: float = 0.0
    figures: dict[str, "Drawing"] = field(default_factory=dict, init=False)
    claims: dict[str, list[Callable]] = field(default_factory=dict, init=False)
    _registered: dict[str, Callable] = field(default_factory=dict, init=False)

    # What an experiment registers

    def run(self, function: Callable) -> Callable:
        """Take the function that carries out one run and gives its record.

        Called with the cell, `function(**arm, **setting, seed=…)`, which is
        put before what it gives.
        """
        return self._register("run", function)

    def after(self, function: Callable) -> Callable:
        """Take the function that names further runs when the sweep is done.

        Called with the records; gives, by name of the stage, a list of
        cells: arguments for `run`.
        """
        return self._register("after", function)

    def summary(self, function: Callable) -> Callable:
        """Take the function that adds to the recording.

        Called with the records of each stage (`records=…`); gives entries
        of the recording: baselines, parameters, whatever is known once.
        """
        return self._register("summary", function)

    def slice(self, function: Callable) -> Callable:
        """Take the function that measures a part of every arm again.

        Called with the recording; yields `(what, recorded, again)`.
        """
        return self._register("slice", function)

    def quick(self, function: Callable) -> Callable:
        """Take the function that measures something again in seconds.

        Needed where even the first arm of the slice takes long; called, and
        giving, as `slice`.
        """
        return self._register("quick", function)

    def figure(self, alt: str) -> Callable[[Callable], Callable]:
        """Take a function that draws the recording, and what is seen on it.

        Pages show it by its name: `{study-figure} induction scores`.
        """

        def take(function: Callable) -> Callable:
            self.figures[function.__name__] = Drawing(
                inspect.cleandoc(alt), function
            )
            return function

        return take

    def claim(self, claim_id: str) -> Callable[[Callable], Callable]:
        """Take a function that gives a claim's numbers from the recording.

        It gives values as `claims.report` takes them: a number, a word, or a
        list of one number for each seed. Several functions, and several
        studies, may give numbers of the same claim.
        """

        def take(function: Callable) -> Callable:
            self.claims.setdefault(claim_id, []).append(function)
            return function

        return take

    def _register(self, what: str, function: Callable) -> Callable:
        self._registered[what] = function
        return function

    # What follows

    def each_arm(self) -> list[Cell]:
        """List what is compared: one level of each factor."""
        found = (
            dict(zip(self.arms, levels, strict=True))
            for levels in itertools.product(*self.arms.values())
        )
        return [arm for arm in found if self.only(**arm)]

    def grid(self, name: str, arm: Cell) -> list[Any]:
        """Give the values of one setting that an arm is tried with."""
        grid = self.sweep[name]
        return list(grid(**arm) if callable(grid) else grid)

    def cells(self, seeds: Sequence[int] | None = None) -> list[Cell]:
        """List the runs of the sweep: arms × grid × seeds, in this order."""
        drawn = range(self.seeds) if seeds is None else seeds
        chance = [{"seed": seed} for seed in drawn] if self.seeds else [{}]
        return [
            {**arm, **dict(zip(self.sweep, values, strict=True)), **seed}
            for arm in self.each_arm()
            for values in itertools.product(
                *(self.grid(name, arm) for name in self.sweep)
            )
            for seed in chance
        ]

    @cached_property
    def fingerprint(self) -> str:
        """Hash what the recording depends on; seeds only add to it."""
        stated = [
            self.cells([0]),
            dict(self.settings),
            {name: version_of(name) for name in self.needs},
            [_hash_of(_data_file(name)) for name in self.data],
        ]
        text = json.dumps(stated, sort_keys=True, default=repr)
        both = code_hash(*self._roots()) + text
        return hashlib.sha256(both.encode("utf-8")).hexdigest()

    def _roots(self) -> list[Any]:
        """Give the functions that make the recording, and what they need."""
        made_by = ("run", "after", "summary")
        found = [self._registered.get(what) for what in made_by]
        return [one for one in found if one is not None] + list(self.code)

    def _files(self) -> list[Path]:
        """List the files of the package that the recording depends on."""
        return files_of(*self._roots()) + [_data_file(x) for x in self.data]

    @property
    def module(self) -> str:
        """Name the module that declares the study."""
        return self._registered["run"].__module__

    def one(self, cell: Mapping[str, Any]) -> Any:
        """Carry out one run; give its record."""
        return {**cell, **self._registered["run"](**cell)}

    @property
    def recording(self) -> dict[str, Any]:
        """Load what was recorded."""
        return load_recording(self.name)

    def numbers(self) -> dict[str, dict[str, Any]]:
        """Give the values of each claim, from the recording."""
        recording = self.recording
        return {
            claim_id: {
                name: value
                for function in functions
                for name, value in function(recording).items()
            }
            for claim_id, functions in self.claims.items()
        }

    def is_current(self, seeds: int | None = None) -> bool:
        """Say whether the recording was made from the code of today."""
        if self.name not in recordings():
            return False
        recorded = self.recording["recorded"]
        return recorded.get("inputs") == self.fingerprint and len(
            recorded["seeds"]
        ) >= self._count(seeds)

    def differences(self, seconds: float = math.inf) -> list[str]:
        """Measure a slice of every arm again; say what comes out otherwise.

        Parameters
        ----------
        seconds
            After so long the rest is left out; what is registered as `quick`
            is measured in place of the slice.

        Raises
        ------
        ValueError
            When the study has no slice to measure.
        """
        if "slice" not in self._registered:
            raise ValueError(
                f"expected a slice of study {self.name}, got none"
            )
        measured = self._registered["slice"]
        if seconds < math.inf:
            measured = self._registered.get("quick", measured)
        found, began = [], time.perf_counter()
        for what, recorded, again in measured(self.recording):
            if not np.allclose(recorded, again, rtol=0, atol=self.tolerance):
                found.append(
                    f"{what}: {recorded} was recorded, {again} comes out"
                )
            if time.perf_counter() - began > seconds:
                break
        return found

    def is_same_today(self) -> bool:
        """Say whether there is a recording whose slice comes out the same."""
        return (
            self.name in recordings()
            and "slice" in self._registered
            and len(self.recording["recorded"]["seeds"]) >= self.seeds
            and not self.differences()
        )

    def stamp(self) -> Path:
        """Say in the recording that the code of today gives the same."""
        content = self.recording
        content["recorded"] |= {
            "inputs": self.fingerprint,
            "same_slice_at": commit_of(self._files()),
        }
        return save_recording(self.name, content)

    def record(
        self,
        *,
        seeds: int | None = None,
        jobs: int = 1,
        scheduler: str | None = None,
        say: Callable[[str], None] = print,
    ) -> Path:
        """Run what is missing, and write the recording.

        Parameters
        ----------
        seeds
            How many, if not as many as the study asks for.
        jobs
            How many runs at a time, one thread each: the same numbers.
        scheduler
            The address of a Dask scheduler that carries out the runs.
        say
            Where progress goes.
        """
        drawn = list(range(self._count(seeds)))
        told = drawn or list(self.settings.get("seeds", []))
        finished = Finished(self.name, self.fingerprint)
        alone = jobs == 1 and scheduler is None
        elsewhere = partial(run_one, self.module, self.name)
        run = self.one if alone else elsewhere
        with Workers(jobs, scheduler) as workers:
            done = finished.complete(run, self.cells(drawn), workers, say)
            stages = {"records": [one["result"] for one in done]}
            for stage, cells in self._after(stages["records"]).items():
                more = finished.complete(run, cells, workers, say)
                stages[stage] = [one["result"] for one in more]
                done += more
        content = {
            "about": inspect.cleandoc(self.design),
            **({"settings": dict(self.settings)} if self.settings else {}),
            **(stages if len(done) > 1 else done[0]["result"]),
            **self._summary(**stages),
            "seconds": round(sum(one["seconds"] for one in done)),
            "recorded": {
                **provenance(
                    f"attn-course experiments --only {self.name}",
                    seeds=told,
                    packages=[*self.packages, *self.needs],
                    files=self._files(),
                ),
                "inputs": self.fingerprint,
            },
        }
        path = save_recording(self.name, content)
        finished.discard()
        return path

    def _count(self, seeds: int | None) -> int:
        """Say how many seeds to run: none where there is no chance."""
        return self.seeds if seeds is None or not self.seeds else seeds

    def _after(self, records: list) -> dict[str, list[dict[str, Any]]]:
        function = self._registered.get("after")
        return function(records) if function else {}

    def _summary(self, **stages: list) -> dict[str, Any]:
        function = self._registered.get("summary")
        return function(**stages) if function else {}


def run_one(module: str, name: str, cell: Cell) -> Any:
    """Find a study again, in whatever process, and carry out one run."""
    return declared_in(import_module(module))[name].one(cell)


def _data_file(name: str) -> Path:
    return Path(data.__file__).parent / name


def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def declared_files(study: Study) -> list[Path]:
    """List the files that hold a study's declaration and its recording."""
    module = import_module(study.module)
    recording = _data_file(f"recordings/{study.name}.json")
    return [Path(str(module.__file__)), recording]


def declared_in(module: ModuleType) -> dict[str, Study]:
    """Find the studies of a module, alone or in lists, by name."""
    found = []
    for value in vars(module).values():
        found += value if isinstance(value, list) else [value]
    return {study.name: study for study in found if isinstance(study, Study)}
