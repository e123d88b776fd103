"""Folded chains: the data, distances, models that fill in, and what was
recorded."""

import doctest
import itertools

import numpy as np
import pytest
import torch

from attn_course import figures
from attn_course.data import load_chains, load_recording, proteins
from attn_course.experiments import folded_chains, miniatures
from attn_course.experiments.sweeps import chosen
from attn_course.nn.train import trained_parameters
from attn_course.tasks import contacts, triangle_attention
from attn_course.tasks.triangle_attention import UNKNOWN

CHAINS = load_chains()
TASK = folded_chains.task()
MAKERS = pytest.mark.parametrize("make", TASK.models.values(), ids=TASK.models)
# A line of atoms, one ångström apart.
LINE = np.arange(30)[:, None] * np.array([1.0, 0, 0])


@pytest.mark.parametrize("module", [contacts, proteins, triangle_attention])
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
    figure = figures.contact_map(found, below=8, window=16, title="one").figure
    [axes] = figure.axes
    assert axes.get_title(loc="left") == "one"
    drawn = axes.images[0].get_array()
    assert drawn.sum() == contacts.contacts(CHAINS[0].atoms).sum() + 76
    upper, lower = axes.lines
    assert set(upper.get_ydata() - upper.get_xdata()) == {16}
    assert set(lower.get_ydata() - lower.get_xdata()) == {-16}
    with pytest.raises(ValueError, match=r"shape \(3, 3\), got \(3, 2\)"):
        figures.contact_map(np.ones((3, 2)), below=8, window=16)


def test_bins_end_where_the_next_begins():
    table = np.array([0, 5.9, 6, 7.9, 8, 12, 16, 20, 99])
    assert contacts.binned(table).tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 5]


def test_fragments_are_all_there_and_copies():
    cut = contacts.fragments(LINE, 8, step=5)
    assert cut.shape == (5, 8, 3)
    for i, one in enumerate(cut):
        np.testing.assert_array_equal(one, LINE[5 * i : 5 * i + 8])
    assert not np.shares_memory(cut, LINE)
    with pytest.raises(ValueError, match="at least 31 residues, got 30"):
        contacts.fragments(LINE, 31)


# What is told and what is asked


def test_maps_are_told_both_ways_and_near_the_diagonal():
    kinds = folded_chains.split()["test"]
    seen = triangle_attention.hide(
        kinds, 0.3, torch.Generator().manual_seed(0)
    )
    assert torch.equal(seen, seen.mT)
    told = seen != UNKNOWN
    assert torch.equal(seen[told], kinds[told])
    apart = torch.tensor(contacts.apart(16))
    assert told[:, apart <= 2].all()
    assert told[:, apart > 2].float().mean().item() == pytest.approx(
        0.3, abs=0.02
    )
    both = triangle_attention.asked(seen)
    assert torch.equal(both | both.mT, ~told)
    assert not (both & both.mT).any()


def test_all_or_nothing_can_be_told():
    kinds, generator = torch.zeros(1, 5, 5).long(), torch.Generator()
    assert not triangle_attention.asked(
        triangle_attention.hide(kinds, 1, generator)
    ).any()
    assert (
        triangle_attention.asked(
            triangle_attention.hide(kinds, 0, generator)
        ).sum()
        == 3
    )
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        triangle_attention.hide(kinds, 1.5, generator)


def test_no_chain_is_in_two_parts():
    groups = folded_chains.shared_out()
    counts = folded_chains.SETTINGS["chains"]
    assert {part: len(chains) for part, chains in groups.items()} == counts
    names = [chain.name for chains in groups.values() for chain in chains]
    assert sorted(names) == sorted(chain.name for chain in CHAINS)
    first = groups["test"][0].atoms[16:32]
    np.testing.assert_array_equal(
        folded_chains.split()["test"][1],
        contacts.binned(contacts.distances(first)),
    )


# The models


def test_triangle_attention_is_that_of_a_loop():
    torch.manual_seed(0)
    layer, x = (
        triangle_attention.TriangleAttention(6, 2),
        torch.randn(1, 4, 4, 6),
    )
    found = layer(x)[0]
    q, k, v, bias = (
        part(x)[0]
        for part in (layer.query, layer.key, layer.value, layer.bias)
    )
    for i, j in itertools.product(range(4), repeat=2):
        read = []
        for head in range(2):
            its = slice(3 * head, 3 * head + 3)
            scores = torch.stack(
                [
                    q[i, j, its] @ k[i, third, its] / 3**0.5
                    + bias[j, third, head]
                    for third in range(4)
                ]
            )
            read.append(scores.softmax(-1) @ v[i, :, its])
        torch.testing.assert_close(found[i, j], layer.output(torch.cat(read)))


def test_triangle_product_is_that_of_a_loop():
    torch.manual_seed(0)
    layer, x = (
        triangle_attention.TriangleProduct(6, 5),
        torch.randn(1, 4, 4, 6),
    )
    found, one, other = layer(x)[0], layer.one(x)[0], layer.other(x)[0]
    for i, j in itertools.product(range(4), repeat=2):
        both = sum(one[i, third] * other[j, third] for third in range(4))
        torch.testing.assert_close(found[i, j], layer.output(layer.norm(both)))


def test_equal_weights_are_attention_whose_scores_are_zero():
    torch.manual_seed(0)
    layer, mean = (
        triangle_attention.TriangleAttention(6, 2),
        triangle_attention.RowMean(6),
    )
    for part in (layer.query, layer.key, layer.bias):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    mean.load_state_dict(
        {name: layer.state_dict()[name] for name in mean.state_dict()}
    )
    x = torch.randn(2, 4, 4, 6)
    torch.testing.assert_close(layer(x), mean(x))


@MAKERS
def test_a_pair_is_the_same_both_ways(make):
    pairs = make(seed=0).pairs(TASK.test.inputs[0][:3])
    torch.testing.assert_close(pairs, pairs.transpose(1, 2))


@MAKERS
def test_scores_stand_in_the_order_of_the_targets(make):
    model, (seen,) = make(seed=0), TASK.choose.inputs
    scores = model(seen)
    assert scores.shape == (len(TASK.choose.targets), folded_chains.BINS)
    first = triangle_attention.asked(seen[0]).sum()
    torch.testing.assert_close(scores[:first], model(seen[:1]))


@MAKERS
def test_first_weights_follow_the_seed_alone(make):
    a, b, c = (list(make(seed=seed).parameters()) for seed in (0, 0, 1))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert any(not torch.equal(x, y) for x, y in zip(a, c, strict=True))


def test_models_are_of_one_size():
    sizes = [trained_parameters(m(seed=0)) for m in TASK.models.values()]
    assert max(sizes) <= 1.02 * min(sizes)


def test_an_unknown_mix_lists_those_there_are():
    with pytest.raises(ValueError, match=r"'convolution'\], got 'x'"):
        triangle_attention.MapFiller("x", length=4, bins=2, seed=0)


# The counts


def test_triangles_forbid_what_cannot_be():
    seen = torch.full((1, 3, 3), UNKNOWN)
    seen[0].fill_diagonal_(0)
    counts = torch.ones(3, 3, 6).long()
    counts[..., 5] = 2  # farthest is commonest
    assert folded_chains.by_triangles(seen, counts)[0, 0, 1] == 5
    # Sides below 6 and below 8 leave less than 14: nothing above bin 3.
    seen[0, 0, 2] = seen[0, 2, 0] = 0
    seen[0, 1, 2] = seen[0, 2, 1] = 1
    counts[..., 4] = 3
    counts[..., 3] = 2
    assert folded_chains.by_triangles(seen, counts)[0, 0, 1] == 3
    # From 20 on beside below 6 leaves more than 14: nothing below bin 3.
    seen[0, 1, 2] = seen[0, 2, 1] = 5
    counts[:] = torch.arange(6, 0, -1)
    assert folded_chains.by_triangles(seen, counts)[0, 0, 1] == 3


def test_the_truth_is_never_forbidden():
    kinds = folded_chains.split()["test"]
    (seen,) = TASK.test.inputs
    truth = torch.nn.functional.one_hot(kinds, folded_chains.BINS)
    found = torch.stack(
        [
            folded_chains.by_triangles(one[None], counts)[0]
            for one, counts in zip(seen[:20], truth[:20], strict=True)
        ]
    )
    assert torch.equal(found, kinds[:20])


def test_the_nearest_told_pair_is_that_of_a_loop():
    seen = TASK.test.inputs[0][:2]
    found = folded_chains.nearest(seen)
    for one, named in zip(seen, found, strict=True):
        told = (one != UNKNOWN).nonzero().tolist()
        for i, j in [(0, 9), (4, 12), (15, 3), (7, 7)]:
            a, b = min(told, key=lambda p: abs(p[0] - i) + abs(p[1] - j))
            assert named[i, j] == one[a, b]


def test_counts_are_of_the_training_maps():
    kinds = folded_chains.split()["train"]
    counts = folded_chains.by_places(kinds)
    assert counts[0, 0].sum() == 16 * len(kinds)
    assert counts[2, 7, 3] == counts[7, 2, 3]
    both = torch.stack([kinds.diagonal(o, 1, 2) for o in (5, -5)])
    assert counts[2, 7, 3] == (both == 3).sum()


def test_chains_are_measured_one_by_one():
    (seen,), targets = TASK.test

    class OnlyFirst(torch.nn.Module):
        """Name the right bins of the first three maps, else none."""

        def forward(self, seen):
            scores = torch.nn.functional.one_hot(targets, 6).float()
            scores[triangle_attention.asked(seen[:3]).sum() :] *= -1
            return scores

    found = folded_chains.by_chain(OnlyFirst(), TASK.test)
    first = folded_chains.shared_out()["test"][0]
    asked = triangle_attention.asked(seen).sum((1, 2))
    share = asked[:3].sum() / asked[: len(first.letters) // 16].sum()
    assert found[0] == pytest.approx(share.item(), abs=1e-4)
    assert found[1:] == [0.0] * 11


# What was recorded


@pytest.fixture(scope="module")
def recording():
    return load_recording("folded-chains")


def test_every_model_learned_longer(recording):
    longer = [(r["model"], r["seed"], r["steps"]) for r in recording["longer"]]
    assert sorted(longer) == sorted(
        itertools.product(TASK.models, range(3), [960])
    )
    # The page says that all learn best at the highest rate tried.
    for runs in chosen(recording["records"]).values():
        assert runs[0]["learning_rate"] == max(miniatures.RATES)


def test_chains_together_give_the_accuracy(recording):
    (seen,) = TASK.test.inputs
    maps = [len(c.letters) // 16 for c in folded_chains.shared_out()["test"]]
    asked = triangle_attention.asked(seen).sum((1, 2)).split(maps)
    sizes = np.array([part.sum() for part in asked])
    for run in recording["records"] + recording["longer"]:
        mean = np.average(run["chains"], weights=sizes)
        assert mean == pytest.approx(run["accuracy"], abs=2e-4)


def test_the_counts_are_those_recorded(recording):
    assert recording["counted"] == folded_chains.counted()["counted"]
    assert recording["commonest"] == miniatures.commonest(TASK.test.targets)


def test_all_but_equal_weights_beat_every_count(recording):
    best = max(recording["counted"].values())
    for model, runs in chosen(recording["records"]).items():
        assert min(run["accuracy"] for run in runs) > best
        worst = max(run["accuracy"] for run in runs) < 0.7
        assert worst == (model == "equal weights")
