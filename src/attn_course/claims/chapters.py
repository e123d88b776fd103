"""Read the files of claims, and refuse one that is incomplete."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["KINDS", "VERDICTS", "Claim", "Section", "ledger", "look_up"]

KINDS = ("measured", "derived", "cited")
VERDICTS = ("holds", "holds within limits", "does not hold", "not settled")


@dataclass(frozen=True)
class Claim:
    """One claim of the article, in the course's own words.

    Attributes
    ----------
    id
        Section and name: `3.tie`.
    statement
        What is claimed, in MyST.
    kind
        `measured`: a cell reports numbers. `derived`: it follows from the
        formula. `cited`: others have shown it.
    verdict
        `holds`, `holds within limits`, `does not hold` or `not settled`:
        what the evidence says if its studies keep the rules of evidence.
        Where one breaks a rule, the website says "not settled".
    because
        Which limits, or why; in MyST. Only a claim that holds by its own
        numbers can do without.
    where
        The page or notebook that tests it (`notebooks/03-query-key-value`),
        perhaps with the anchor of a section (`…#the-formula`).
    values
        For each number to be reported, what it is.
    cite
        Keys of the bibliography.
    """

    id: str
    statement: str
    kind: str
    verdict: str
    because: str = ""
    where: str = ""
    values: dict[str, str] = field(default_factory=dict)
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a claim that leaves a reader with a question."""
        for name, given, known in (
            ("kind", self.kind, KINDS),
            ("verdict", self.verdict, VERDICTS),
        ):
            if given not in known:
                raise ValueError(
                    f"claim {self.id}: expected {name} to be one of "
                    f"{', '.join(known)}, got {given!r}"
                )
        needed = {"statement": self.statement}
        if self.kind == "measured":
            needed |= {"where": self.where, "values": self.values}
        elif self.kind == "derived":
            needed |= {"where": self.where, "because": self.because}
        else:
            needed |= {"cite": self.cite}
        if self.verdict != "holds":
            needed |= {"because": self.because}
        for name, given in needed.items():
            if not given:
                raise ValueError(
                    f"claim {self.id}: expected `{name}` for a claim that is "
                    f"{self.kind} and {self.verdict}, got none"
                )


@dataclass(frozen=True)
class Section:
    """One section of the article and its claims, in the article's order."""

    number: str
    title: str
    claims: tuple[Claim, ...]


def read_section(content: dict[str, Any]) -> Section:
    """Turn the content of one file into claims."""
    number = content["section"]
    claims = []
    for given in content["claims"]:
        claim = Claim(**{**given, "cite": tuple(given.get("cite", ()))})
        if claim.id.partition(".")[0] != number or claim.id.count(".") != 1:
            raise ValueError(
                f"expected an id like {number}.name, got {claim.id!r}"
            )
        claims.append(claim)
    ids = [claim.id for claim in claims]
    if len(set(ids)) < len(ids):
        twice = sorted({one for one in ids if ids.count(one) > 1})
        raise ValueError(f"expected each id once, got {twice} twice")
    return Section(number, content["title"], tuple(claims))


@cache
def ledger() -> tuple[Section, ...]:
    """Read every claim, by section of the article."""
    folder = resources.files("attn_course.claims")
    files = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".toml")),
        key=lambda f: f.name,
    )
    return tuple(
        read_section(tomllib.loads(f.read_text("utf-8"))) for f in files
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """Name those that were perhaps meant, or all."""
    known = list(names)
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.5)
    return ", ".join(near or sorted(known)) or "none"


def look_up(claim_id: str) -> Claim:
    """Find one claim.

    Raises
    ------
    ValueError
        When there is none of that id; the message lists near ones.
    """
    claims = {claim.id: claim for part in ledger() for claim in part.claims}
    if claim_id not in claims:
        raise ValueError(
            f"expected the id of a claim, such as "
            f"{nearest(claim_id, claims)}; got {claim_id!r}"
        )
    return claims[claim_id]
