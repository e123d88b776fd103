"""The contacts of a folded chain that a window would miss.

Residues whose Cα atoms are nearer than 8 Å are in contact. `shares` are those
contacts that lie more than so many places apart in the chain, for each of the
proteins of `data.load_chains`, ubiquitin first. Residues one or two places
apart always touch and are not counted. Nothing was tuned.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attn_course import contacts, figures
from attn_course.data import load_chains
from attn_course.experiments.study import Study

__all__ = ["STUDY", "WINDOWS", "missed"]

WINDOWS = (4, 16, 32)
STUDY = Study(
    "far-contacts",
    chapter=9,
    question="How many contacts of a protein would a window of attention "
    "miss?",
    design=__doc__,
    seeds=0,
    data=["proteins.csv.gz"],
    tolerance=1e-4,
)


@STUDY.run
def missed() -> dict[str, Any]:
    """Count the contacts outside each window."""
    chains = load_chains()
    return {
        "chains": [chain.name for chain in chains],
        "shares": {
            str(window): [contacts.far_share(c.atoms, window) for c in chains]
            for window in WINDOWS
        },
    }


@STUDY.slice
def again(recording: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Count all once more."""
    for window, shares in missed()["shares"].items():
        yield window, recording["shares"][window], shares


@STUDY.claim("9.proteins")
def medians(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Give the median over proteins, and the ends for a window of 16."""
    shares = recording["shares"]
    return {
        "proteins": len(recording["chains"]),
        "ubiquitin_16": shares["16"][0],
        "far_16_least": min(shares["16"]),
        "far_16_most": max(shares["16"]),
        **{f"far_{window}": np.median(x) for window, x in shares.items()},
    }


@STUDY.figure("""
    The contacts of ubiquitin as a square of 76 by 76 residues. A band follows
    the diagonal, the neighbours in the chain. Further contacts stand in
    stripes along the diagonal or across it, several of them outside the two
    lines that mark 16 places.
""")
def ubiquitin(recording: Mapping[str, Any]) -> Any:
    """Draw the contacts of the first chain, and a window of 16."""
    return figures.contact_map(
        contacts.distances(load_chains()[0].atoms),
        below=contacts.CONTACT,
        window=16,
        title="Ubiquitin: Cα atoms nearer than 8 Å",
    )
