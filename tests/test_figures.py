"""The figures: labelled axes, what they show, bad input."""

import itertools

import numpy as np
import pytest

from attn_course import figures


def test_heatmap_labels_both_axes_and_every_cell():
    weights = np.array([[0.25, 0.75], [1.0, 0.0]])
    figure = figures.heatmap(weights, ["a", "b"], title="tiny").figure
    axes = figure.axes[0]
    assert axes.get_xlabel() == "key"
    assert axes.get_ylabel() == "query; cells: weight"
    assert axes.get_title(loc="left") == "tiny"
    assert [t.get_text() for t in axes.texts] == [
        "0.25", "0.75", "1.00", "0.00",
    ]  # fmt: skip


def test_heatmap_wants_tokens_that_fit():
    with pytest.raises(ValueError, match=r"shape \(3, 2\).*got \(2, 2\)"):
        figures.heatmap(np.eye(2), ["a", "b", "c"], ["x", "y"])


def test_curves_show_the_mean_and_the_spread_over_seeds():
    line = np.array([[0.0, 2.0], [1.0, 4.0]])
    figure = figures.curves(
        [1, 2], {"two seeds": line, "one": [0.0, 1.0]},
        xlabel="d", ylabel="accuracy", log_x=True,
    ).figure  # fmt: skip
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.5, 3.0])
    assert len(axes.collections) == 1
    assert axes.get_legend() is None
    assert {t.get_text() for t in axes.texts} == {"two seeds", "one"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("d", "accuracy")


def test_curves_want_lines_as_long_as_x():
    with pytest.raises(ValueError, match="expected 2 numbers in line 'a'"):
        figures.curves([1, 2], {"a": [1.0]}, xlabel="x", ylabel="y")


def over_time(table, lines):
    return figures.over_time(
        table, lines, level=0.5, level_label="level", xlabel="frame",
        ylabel="row", label="scale", lines_label="weight",
    )  # fmt: skip


def test_over_time_keeps_columns_and_lines_under_one_another():
    figure = over_time(np.eye(3, 4), {"a": [1, 2, 3, 4]}).figure
    above, below = figure.axes
    figure.draw_without_rendering()
    assert above.get_position().x0 == pytest.approx(below.get_position().x0)
    assert above.get_position().x1 == pytest.approx(below.get_position().x1)
    assert above.get_xlim() == below.get_xlim() == (0.5, 4.5)
    level, line = below.lines
    assert level.get_label() == "level"
    np.testing.assert_array_equal(line.get_xydata()[2], [3, 3])
    assert (below.get_xlabel(), below.get_ylabel()) == ("frame", "weight")
    words = " ".join(above.get_ylabel().split())
    assert words == "row; scale, from 0 (pale) to 1 (strong)"
    # The first row is above.
    assert above.get_ylim() == (3.5, 0.5)


def test_over_time_wants_lines_as_long_as_the_table():
    with pytest.raises(ValueError, match="expected 4 numbers in line 'a'"):
        over_time(np.eye(3, 4), {"a": [1.0]})


def test_scatter_keeps_points_and_lines_apart():
    figure = figures.scatter(
        [1, 2, 3], [1, 4, 9], {"fit": ([1, 3], [1, 9])},
        xlabel="day", ylabel="°C",
    ).figure  # fmt: skip
    [axes] = figure.axes
    assert len(axes.patches[0].get_path().vertices) == 2 * 3
    [line] = [x for x in axes.lines if x.get_label() == "fit"]
    np.testing.assert_array_equal(line.get_ydata(), [1, 9])


def test_dumbbells_give_each_name_a_row():
    groups = {"query heads": [8, 32], "kv heads": [8, 1]}
    figure = figures.dumbbells(
        ["a", "b"], groups, xlabel="heads", band=(8, 12), band_label="some"
    ).figure
    axes = figure.axes[0]
    marks = [list(line.get_xdata()) for line in axes.lines]
    assert marks == [[8, 32], [8, 1]]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in axes.get_xticklabels()][:3] == [
        "1", "2", "4",
    ]  # fmt: skip
    assert axes.get_xlabel() == "heads"
    with pytest.raises(ValueError, match="expected 1 numbers in group 'q"):
        figures.dumbbells(["a"], groups, xlabel="heads")


def test_bars_stand_side_by_side():
    groups = {"lost": [1.0, 2.0], "attention": [0.5, 0.1]}
    figure = figures.bars(["a", "b"], groups, ylabel="share", title="t").figure
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [1.0, 2.0, 0.5, 0.1]
    edges = sorted(
        (b.get_x(), b.get_x() + b.get_width()) for b in axes.patches
    )
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(edges))
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b"]
    assert axes.get_ylabel() == "share"


def test_bars_want_a_number_for_each_name():
    with pytest.raises(ValueError, match="expected 2 numbers in group 'x'"):
        figures.bars(["a", "b"], {"x": [1.0]}, ylabel="y")


def test_a_table_leaves_empty_cells_empty():
    table = np.array([[0.5, np.nan], [0.2, 1.0]])
    figure = figures.heatmap(
        table, ["1", "2"], title="t", ylabel="after", xlabel="letter",
        label="accuracy",
    ).figure  # fmt: skip
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.texts] == ["0.50", "0.20", "1.00"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "letter", "after; cells: accuracy"
    )  # fmt: skip
    [hatched] = axes.patches
    assert hatched.get_hatch() and hatched.get_xy() == (0.5, -0.5)


def test_arcs_are_as_thick_as_the_weights():
    figure = figures.arcs(
        ["a", "b", "c"], 2, {"one": [0.7, 0.004, 0.2]}
    ).figure
    (axes,) = figure.axes
    assert [p.get_linewidth() for p in axes.patches] == [7.0]
    told = [t.get_text().split() for t in axes.texts]
    assert told == [["a", "0.70"], ["b"], ["c", "0.20"]]
    assert axes.get_title(loc="left") == "one"


def test_arcs_want_a_weight_for_each_token():
    with pytest.raises(ValueError, match="expected 3 weights in row 'one'"):
        figures.arcs(["a", "b", "c"], 2, {"one": [0.5, 0.5]})


def test_grids_share_a_scale_and_frame_the_largest_cell():
    first = np.array([[0.1, 0.9, 0.2], [0.3, 0.4, 0.5]])
    figure = figures.grids(
        {"a": first, "b": first[::-1], "c": first},
        xlabel="head", ylabel="layer", label="share",
    ).figure  # fmt: skip
    panels = figure.axes[:4]
    assert [p.get_title(loc="left") for p in panels] == ["a", "b", "c", ""]
    assert [p.patches[0].get_xy() for p in panels[:2]] == [
        (0.5, -0.5), (0.5, 0.5),
    ]  # fmt: skip
    assert {p.images[0].get_clim() for p in panels[:3]} == {(0.0, 1.0)}


def test_grids_want_panels_of_one_shape():
    with pytest.raises(ValueError, match="expected panels of one shape"):
        figures.grids(
            {"a": np.ones((2, 3)), "b": np.ones((3, 2))},
            xlabel="", ylabel="", label="",
        )  # fmt: skip


def test_maps_have_scales_of_their_own_or_one_for_all():
    panels = {"weak": np.eye(3) / 4, "strong": np.eye(3)}
    own = figures.maps(panels, list("abc"), mark=(0, 2)).figure
    tops = [axes.images[0].get_clim()[1] for axes in own.axes[:2]]
    assert tops == [0.25, 1.0]
    assert [axes.get_title(loc="left") for axes in own.axes] == [
        "weak (0 to 0.25)", "strong (0 to 1)",
    ]  # fmt: skip
    assert own.axes[0].patches[0].get_xy() == (1.5, -0.5)
    assert "row: the word that looks" in own.get_supxlabel()
    shared = figures.maps(panels, list("abc"), highest=0.5).figure
    assert [axes.images[0].get_clim()[1] for axes in shared.axes[:2]] == [
        0.5, 0.5,
    ]  # fmt: skip
    mixed = figures.maps(panels, list("abc"), highest=[None, 2.0]).figure
    assert [axes.images[0].get_clim()[1] for axes in mixed.axes[:2]] == [
        0.25, 2.0,
    ]  # fmt: skip


def test_maps_want_what_fits():
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(3, 3\)"):
        figures.maps({"a": np.eye(3)}, ["x", "y"])
    with pytest.raises(ValueError, match="1 or 1 names of colours, got 2"):
        figures.maps({"a": np.eye(1)}, ["x"], colours=["jet", "gray"])


def test_in_grey_a_rainbow_has_no_order_and_cividis_has():
    def greys(name):
        figure = figures.maps(
            {"a": np.eye(2)}, ["x", "y"], colours=[f"{name}, in grey"]
        ).figure
        rgb = figure.axes[0].images[0].get_cmap()(np.linspace(0, 1, 64))
        assert np.ptp(rgb[:, :3], axis=1).max() < 1e-9  # no colour is left
        return np.diff(rgb[:, 0])

    assert (greys("cividis") > 0).all()
    assert (greys("jet") < 0).mean() > 0.3


def test_lightness_is_that_of_the_known_greys():
    light = figures.lightness("gray")
    assert light.shape == (256,)
    assert light[119] == pytest.approx(50.0, abs=0.5)  # middle grey, #777777
    assert (np.diff(figures.lightness("gray_r")) < 0).all()


def test_a_graph_has_an_arrow_for_each_weight_that_is_shown():
    weights = np.array([[0.5, 0.3, 0.2], [0.0, 0.1, 0.9], [0.1, 0.1, 0.8]])
    figure = figures.graph(
        ["a", "b", "c"], weights, threshold=0.2, title="t"
    ).figure
    axes = figure.axes[0]
    assert [p.get_linewidth() for p in axes.patches] == pytest.approx(
        [1.8, 1.2, 5.4]
    )
    assert [t.get_text() for t in axes.texts] == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(3, 3\)"):
        figures.graph(["a", "b"], weights, threshold=0.2)


def test_pieces_are_named_after_the_token_that_they_came_from():
    numbers = np.arange(6).reshape(2, 3)
    figure = figures.pieces(
        {"whole": numbers, "turned": numbers.T}, "ab", 3
    ).figure
    whole, turned = figure.axes
    assert [t.get_text() for t in whole.texts] == [
        "a 1", "a 2", "a 3", "b 1", "b 2", "b 3",
    ]  # fmt: skip
    assert [t.get_text() for t in turned.texts][:2] == ["a 1", "b 1"]
    colours = [patch.get_facecolor() for patch in whole.patches]
    assert colours[0] == colours[2] != colours[3]


def test_pieces_want_tokens_for_all_numbers():
    with pytest.raises(ValueError, match="from 0 to 5, got 6"):
        figures.pieces({"x": [[6]]}, "ab", 3)


def test_pictures_stand_in_rows():
    images = {name: np.eye(3) for name in "ab<"}
    for per_row, cols in ((None, 3), (2, 2), (5, 3)):
        text = figures.pictures(images, per_row=per_row).html("three")
        assert f"--row:{cols};" in text
        assert text.count("<img") == 3 and "<b>&lt;</b>" in text
    with pytest.raises(ValueError, match="got 0"):
        figures.pictures(images, per_row=0)


def test_a_sheet_keeps_every_picture_and_a_line_between():
    given = np.arange(5 * 2 * 3.0).reshape(5, 2, 3)
    whole = figures.sheet(given, per_row=2)
    assert whole.shape == (3 * 3 - 1, 2 * 4 - 1)
    np.testing.assert_array_equal(whole[:2, :3], given[0])
    np.testing.assert_array_equal(whole[:2, 4:], given[1])
    np.testing.assert_array_equal(whole[6:, :3], given[4])
    assert np.isnan(whole[2]).all() and np.isnan(whole[:, 3]).all()
    assert np.isfinite(whole).sum() == given.size


@pytest.mark.parametrize(
    ("shape", "per_row"), [((2, 2), 3), ((0, 2, 2), 3), ((1, 2, 2), 0)]
)
def test_a_sheet_says_what_it_expects(shape, per_row):
    with pytest.raises(ValueError, match="expected pictures of shape"):
        figures.sheet(np.ones(shape), per_row=per_row)


def test_whole_numbers_have_whole_ticks():
    figure = figures.curves(
        range(1, 21), {"a": np.ones(20)}, xlabel="n", ylabel="y"
    ).figure
    ticks = figure.axes[0].get_xticks()
    assert all(tick == round(tick) for tick in ticks)
