"""Folded chains: the data, distances and contacts."""

import doctest
import itertools

import numpy as np
import pytest

from attn_course import contacts, figures
from attn_course.data import load_chains, proteins

CHAINS = load_chains()
# A line of atoms, one ångström apart.
LINE = np.arange(30)[:, None] * np.array([1.0, 0, 0])


@pytest.mark.parametrize("module", [contacts, proteins])
def test_the_examples_run(module):
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


# The data


def test_chains_have_no_gap():
    for chain in CHAINS:
        assert chain.atoms.shape == (len(chain.letters), 3)
        assert set(chain.letters) <= set("ACDEFGHIKLMNPQRSTVWY")
        steps = np.linalg.norm(np.diff(chain.atoms, axis=0), axis=-1)
        # A trans bond puts Cα atoms 3.8 Å apart, a cis bond 2.9.
        assert 2.6 < steps.min() and steps.max() < 4.2
        assert "CC0" in chain.source


def test_no_two_chains_are_alike():
    assert len({chain.name for chain in CHAINS}) == len(CHAINS) == 51
    runs = [
        {chain.letters[i : i + 7] for i in range(len(chain.letters) - 6)}
        for chain in CHAINS
    ]
    for one, other in itertools.combinations(runs, 2):
        assert not one & other


def test_ubiquitin_is_ubiquitin():
    # The sequence as textbooks have it.
    assert CHAINS[0].letters == (
        "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKE"
        "STLHLVLRLRGG"
    )


# Distances and contacts


def test_distances_are_those_of_a_loop():
    atoms = CHAINS[0].atoms[:12]
    found = contacts.distances(atoms)
    for i, j in itertools.product(range(12), repeat=2):
        assert found[i, j] == pytest.approx(
            np.linalg.norm(atoms[i] - atoms[j])
        )


def test_turning_and_moving_a_chain_changes_no_distance():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    atoms = CHAINS[1].atoms
    np.testing.assert_allclose(
        contacts.distances(atoms @ turn + 5), contacts.distances(atoms)
    )


def test_three_distances_fit_together():
    found = contacts.distances(CHAINS[2].atoms)
    # (i, j) against the way over k.
    over = found[:, :, None] + found.T[None]
    assert (found[:, None, :] <= over + 1e-9).all()


def test_contacts_are_symmetric_and_nobodys_own():
    found = contacts.contacts(CHAINS[0].atoms)
    np.testing.assert_array_equal(found, found.T)
    assert not found.diagonal().any()
    # Next neighbours always touch, and so do theirs.
    assert found.diagonal(1).all() and found.diagonal(2).all()


def test_far_share_counts_pairs():
    # Contacts of the line: 1 to 7 places apart, 29 to 23 of them.
    far = sum(30 - k for k in (5, 6, 7)) / sum(30 - k for k in range(3, 8))
    assert contacts.far_share(LINE, 4) == pytest.approx(far)
    assert contacts.far_share(LINE, 7) == 0
    assert contacts.far_share(LINE, 2) == 1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(\.\.\., n, 3\), got \(4, 2\)"):
        contacts.distances(np.ones((4, 2)))
    with pytest.raises(ValueError, match="at least 3 places apart, got none"):
        contacts.far_share(10 * LINE, 4)


def test_the_map_is_drawn_with_its_window():
    found = contacts.distances(CHAINS[0].atoms)
    figure = figures.contact_map(found, below=8, window=16, title="one")
    [axes] = figure.axes
    assert axes.get_title() == "one"
    drawn = axes.images[0].get_array()
    assert drawn.sum() == contacts.contacts(CHAINS[0].atoms).sum() + 76
    upper, lower = axes.lines
    assert set(upper.get_ydata() - upper.get_xdata()) == {16}
    assert set(lower.get_ydata() - lower.get_xdata()) == {-16}
    with pytest.raises(ValueError, match=r"shape \(3, 3\), got \(3, 2\)"):
        figures.contact_map(np.ones((3, 2)), below=8, window=16)
