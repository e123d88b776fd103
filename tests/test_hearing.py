"""Two voices and two ears: laws, the head, and what attention gains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attn_course import hearing
from attn_course.data import VOICES, load_voice, voice_asset
from attn_course.random_numbers import normal, uniform

N = 16_000


def short_mixture(angles=(-40, 30), **options):
    names = "gregson", "superlative"
    return hearing.mix([load_voice(n)[:N] for n in names], angles, **options)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 5000])
def test_cells_give_the_sound_back(n):
    sound = normal(n, 2 * n).reshape(2, n)
    cells = hearing.stft(sound)
    assert cells.shape[:2] == (2, 257)
    np.testing.assert_allclose(
        hearing.inverse_stft(cells, n), sound, atol=1e-12
    )


def test_cells_hold_the_sound_energy():
    sound = normal(1, 5000)
    weight = np.full(257, 2.0)
    weight[[0, -1]] = 1.0  # these two frequencies have no mirror image
    energy = (weight[:, None] * np.abs(hearing.stft(sound)) ** 2).sum() / 512
    np.testing.assert_allclose(energy, (sound**2).sum(), rtol=1e-10)


@given(st.floats(-90, 90))
def test_the_head_is_symmetric(angle):
    left, right = hearing.head(angle, hearing.FREQUENCIES)
    mirrored = hearing.head(-angle, hearing.FREQUENCIES)
    np.testing.assert_allclose([right, left], mirrored, atol=1e-12)


def test_the_delay_between_the_ears_is_woodworths():
    # Far above the shadow's corner its own phase is the same at both ears.
    f = np.array([1e6, 1e6 + 10])
    for angle in (-80, -30, 0, 10, 60):
        left, right = hearing.head(angle, f)
        turn = np.angle((right * left.conj())[1] / (right * left.conj())[0])
        np.testing.assert_allclose(
            turn / (2 * np.pi * 10), hearing.interaural_time(angle), atol=1e-8
        )


def test_the_level_difference_grows_with_frequency():
    left, right = np.abs(hearing.head(60, np.array([0, 200, 1000, 5000])))
    level = 20 * np.log10(right / left)
    assert level[0] == 0
    assert (np.diff(level) > 0).all() and level[-1] > 10


def test_one_direction_at_a_time_is_found():
    voice = load_voice("gregson")
    for angle in (-60.0, 0.0, 25.0):
        cells = hearing.stft(hearing.place(voice, angle))
        keys = hearing.interaural_keys(cells)
        weights = hearing.direction_weights(hearing.direction_scores(keys))
        energy = (np.abs(cells) ** 2).sum(0)
        share = (weights * energy).sum((1, 2))
        assert hearing.DIRECTIONS[share.argmax()] == angle


def test_keys_need_the_mixture_alone():
    mixture = short_mixture()
    heard, weights = hearing.attend(mixture.ears, -40)
    again, _ = hearing.attend(mixture.ears.copy(), -40)
    np.testing.assert_array_equal(heard, again)
    assert weights.shape == (257, 64)
    np.testing.assert_allclose(
        mixture.ears, mixture.voices.sum(0) + mixture.noise
    )


def test_a_whole_turn_of_phase_or_a_louder_mixture_changes_no_key():
    cells = hearing.stft(short_mixture().ears)
    keys = hearing.interaural_keys(cells)
    turned = cells * np.exp(1j * np.arange(cells.shape[-1]))
    np.testing.assert_allclose(
        hearing.interaural_keys(3 * turned), keys, atol=1e-5
    )


def test_the_scores_are_the_distance_between_query_and_key():
    keys = hearing.interaural_keys(hearing.stft(short_mixture().ears))
    scores = hearing.direction_scores(keys)
    queries = hearing.expected_keys(hearing.DIRECTIONS)
    for d, f, t in ((0, 5, 20), (18, 100, 3), (36, 256, 40)):
        apart = queries[d, :, f] - keys[:, f, t]
        assert scores[d, f, t] == pytest.approx(-0.5 * apart @ apart)


@given(st.floats(0.005, 2.0))
def test_each_cell_divides_itself_among_the_directions(temperature):
    scores = -np.abs(normal(3, 37 * 6).reshape(37, 3, 2))
    weights = hearing.direction_weights(scores, temperature)
    np.testing.assert_allclose(weights.sum(0), 1.0)
    assert (weights >= 0).all()


def test_silence_is_attended_without_nan():
    heard, weights = hearing.attend(np.zeros((2, 1000)), 0)
    assert np.isfinite(weights).all() and (heard == 0).all()


@pytest.mark.parametrize("which", [0, 1])
def test_attention_helps_more_than_a_beam_and_less_than_the_bound(which):
    mixture = short_mixture()
    angle, ear = ((-40, 0), (30, 1))[which]
    target = mixture.voices[which]
    ideal = hearing.ideal_ratio_mask(target, mixture.ears - target)
    bound = hearing.inverse_stft(ideal * hearing.stft(mixture.ears), N)
    ladder = [
        hearing.attend(mixture.ears, 90)[0],  # nobody is there
        mixture.ears,
        hearing.beamform(mixture.ears, angle),
        hearing.attend(mixture.ears, angle)[0],
        bound,
    ]
    levels = [hearing.si_sdr(sound[ear], target[ear]) for sound in ladder]
    assert levels == sorted(levels)
    assert levels[3] > levels[1] + 3


def test_two_voices_in_one_direction_stay_together():
    mixture = short_mixture((30, 30))
    heard, _ = hearing.attend(mixture.ears, 30)
    gain = [
        hearing.si_sdr(heard[1], mixture.voices[k, 1])
        - hearing.si_sdr(mixture.ears[1], mixture.voices[k, 1])
        for k in (0, 1)
    ]
    assert max(gain) < 2


def test_a_beam_lets_its_own_direction_pass_unchanged():
    alone = hearing.place(load_voice("clubs"), -35)
    np.testing.assert_allclose(hearing.beamform(alone, -35), alone, atol=2e-3)


def test_noise_has_unit_power_and_its_own_seed():
    noise = hearing.diffuse_noise(4000, 1)
    assert (noise**2).mean() == pytest.approx(1.0)
    assert not np.allclose(noise, hearing.diffuse_noise(4000, 2))
    loud = short_mixture(noise=-5.0)
    both = loud.voices.sum(0)
    level = 10 * np.log10((loud.noise**2).mean() / (both**2).mean())
    assert level == pytest.approx(-5.0)


def test_si_sdr_forgets_loudness_and_counts_noise():
    target = normal(5, 1000)
    noise = normal(6, 1000)
    noise -= (noise @ target) / (target @ target) * target
    noise *= np.sqrt(0.1 * (target @ target) / (noise @ noise))
    assert hearing.si_sdr(7 * (target + noise), target) == pytest.approx(10)


def test_random_numbers_are_normal_and_uniform():
    numbers = normal(1, 100_001)
    assert numbers.shape == (100_001,)
    assert abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.02
    flat = uniform(2, 100_000)
    assert 0 <= flat.min() and flat.max() < 1 and abs(flat.mean() - 0.5) < 0.01


@pytest.mark.parametrize("name", VOICES)
def test_voices_have_one_length_and_level_and_do_not_clip(name):
    voice = load_voice(name)
    assert voice.shape == (51_200,)
    assert np.sqrt((voice**2).mean()) == pytest.approx(0.05, rel=1e-3)
    assert np.abs(voice).max() < 0.9
    assert np.abs(voice[[0, -1]]).max() < 1e-3  # no click at the ends
    assert len({VOICES[name].speaker, VOICES[name].words}) == 2


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: hearing.head(91, [0.0]), "expected angles from -90 to 90"),
        (lambda: hearing.mix([[1.0]], (0, 0)), "expected two voices"),
        (
            lambda: hearing.mix([[1.0], [1.0, 2.0]], (0, 0)),
            r"same length.*got lengths \[1, 2\]",
        ),
        (
            lambda: hearing.direction_weights(np.zeros((2, 1, 1)), 0),
            "expected a temperature above 0, got 0",
        ),
        (lambda: hearing.si_sdr([1.0], [0.0]), "got silence"),
        (lambda: load_voice("nobody"), "expected one of .*amiable"),
        (lambda: voice_asset("x"), "got 'x'"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_echoes_come_late_from_everywhere_and_die_away():
    click = np.zeros(16_000)
    click[0] = 1.0
    answer = hearing.echoes(click, 1)
    assert answer.shape == (2, 16_000)
    np.testing.assert_allclose(answer[:, :80], 0.0, atol=1e-9)
    early, late = (
        (answer[:, a : a + 1600] ** 2).sum() for a in (80, 80 + 3200)
    )
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=4)
    assert np.abs(answer[:, 80 + 6400 :]).max() < 1e-9


def test_a_room_counts_as_noise():
    voices = [load_voice(name)[:8000] for name in ("clubs", "gregson")]
    dry = hearing.mix(voices, (-30, 30))
    wet = hearing.mix(voices, (-30, 30), echo=0.0)
    np.testing.assert_array_equal(dry.voices, wet.voices)
    room = wet.noise - dry.noise
    both = dry.voices.sum(axis=0)
    level = 10 * np.log10((room**2).mean() / (both**2).mean())
    assert level == pytest.approx(0.0, abs=1e-6)
