"""Which residues of a folded chain touch, and fragments of real chains.

A residue's place is that of its Cα atom. Two residues are in contact when
those are nearer than `CONTACT` (in ångström, 0.1 nm), as is usual.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = [
    "CONTACT",
    "EDGES",
    "apart",
    "binned",
    "contacts",
    "distances",
    "far_share",
    "fragments",
]

CONTACT = 8.0
# Where one bin of distances ends and the next begins.
EDGES = (6.0, CONTACT, 12.0, 16.0, 20.0)


def distances(
    atoms: Float[np.ndarray, "... n 3"],
) -> Float[np.ndarray, "... n n"]:
    """Measure how far each atom is from each.

    Raises
    ------
    ValueError
        When the atoms do not have three coordinates each.

    Examples
    --------
    >>> distances(np.array([[0.0, 0, 0], [0, 3, 4]]))[0]
    array([0., 5.])
    """
    if atoms.ndim < 2 or atoms.shape[-1] != 3:
        raise ValueError(
            f"expected atoms of shape (..., n, 3), got {atoms.shape}"
        )
    steps = atoms[..., :, None, :] - atoms[..., None, :, :]
    return np.sqrt((steps**2).sum(-1))  # (..., n, n)


def apart(n: int) -> Int[np.ndarray, "n n"]:
    """Count the places in the chain between each two of `n` residues."""
    return np.abs(np.subtract.outer(np.arange(n), np.arange(n)))


def contacts(
    atoms: Float[np.ndarray, "n 3"], below: float = CONTACT
) -> Bool[np.ndarray, "n n"]:
    """Say which two residues touch; none touches itself."""
    return (distances(atoms) < below) & (apart(len(atoms)) > 0)


def far_share(
    atoms: Float[np.ndarray, "n 3"], window: int, *, least: int = 3
) -> float:
    """Say which share of the contacts a window in the chain would miss.

    Residues one or two places apart are always in contact: unless told, they
    do not count.

    Parameters
    ----------
    atoms
        Of one chain.
    window
        How many places a residue would see to either side.
    least
        Contacts between residues less than `least` places apart don't count.

    Raises
    ------
    ValueError
        When nothing counts as a contact.
    """
    far = apart(len(atoms))[contacts(atoms)]  # every contact twice
    far = far[far >= least]
    if not len(far):
        raise ValueError(
            f"expected contacts at least {least} places apart, got none"
        )
    return float((far > window).mean())


def binned(
    table: Float[np.ndarray, "*shape"],
) -> Int[np.ndarray, "*shape"]:
    """Name the bin of each distance: 0 below the first of EDGES, and so on.

    Examples
    --------
    >>> binned(np.array([3.8, 8.0, 50.0]))
    array([0, 2, 5])
    """
    return np.digitize(table, EDGES)


def fragments(
    atoms: Float[np.ndarray, "n 3"], length: int, *, step: int = 1
) -> Float[np.ndarray, "count length 3"]:
    """Cut every fragment of a chain; each starts `step` after the last.

    Raises
    ------
    ValueError
        When the chain is shorter than a fragment.
    """
    if len(atoms) < length:
        raise ValueError(
            f"expected a chain of at least {length} residues, got {len(atoms)}"
        )
    cut = np.lib.stride_tricks.sliding_window_view(atoms, length, axis=0)
    return cut[::step].swapaxes(-1, -2).copy()
