"""Populations: which configs share arrays, in what parts, and that those arrays stay small."""

import dataclasses
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest

from sandbox import Config, Hook, Network, train, train_many
from sandbox.config import ROLES
from sandbox.nn.layouts import TINY, ReplicasLast, Stacked, choose_layout
from sandbox.nn.padding import Padding
from sandbox.nn.population import CALLS, Shape, crop, even_chunks, parts, stack
from sandbox.train import build, shape


class Together(Hook):
    """Keeps which configs trained side by side."""

    def __init__(self):
        self.groups = []

    def on_start(self, run):
        self.groups.append([config.learning_rate for config in run.configs])


def sharing(configs):
    """The configs' learning rates, by the arrays that they trained in."""
    hook = Together()
    train_many(configs, [hook], workers=1)
    return sorted(map(sorted, hook.groups))


class TestGroups:
    BASE = Config(dataset="moons", n_examples=6, epochs=2, patience=1)

    def test_what_may_differ(self):
        changes = [
            {"data_seed": 1},
            {"seed": 1},
            {"l1": 0.0},
            {"schedule": "cosine"},
            {"patience": None},
            {"min_delta": 0.1},
            {"initializer": "he"},
            {"noise": 0.1},
            {"n_validation": 9},
            {"dataset": "circle"},
        ]
        configs = [self.BASE.replace(learning_rate=0.1 + place, **change) for place, change in enumerate(changes)]
        assert len(sharing(configs)) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"hidden": (4,)},
            {"crosses": ("x1*x2",)},
            {"activation": "relu"},
            {"output": "linear"},
            {"n_examples": 7},
            {"l1": 0.1},
            {"l2": 0.1},
            *(
                {name: value}
                for name, value in (("cost", "mean_squared_error"), ("optimizer", "adam"), ("momentum", 0.5))
            ),
            {"optimizer": "adamw"},
            *({name: value} for name, value in (("batch_size", 3), ("epochs", 3), ("dtype", "float32"))),
            {"monitor": "train_accuracy"},
        ],
    )
    def test_what_may_not(self, change):
        assert sharing([self.BASE.replace(learning_rate=0.5), self.BASE.replace(**change)]) == [[0.5], [1.0]]

    def test_weight_decays_may_differ_and_none_is_not_a_small_one(self):
        base = self.BASE.replace(optimizer="adamw")
        configs = [
            base.replace(learning_rate=0.1 + place, weight_decay=decay) for place, decay in enumerate((0, 0.1, 0, 0.2))
        ]
        assert sharing(configs) == [[0.1, 2.1], [1.1, 3.1]]
        assert sharing([base, base.replace(optimizer="adam", learning_rate=0.5)]) == [[0.5], [1.0]]

    def test_a_new_field_is_alike_unless_it_says_otherwise(self, monkeypatch):
        """It would train silently wrong if it had to be listed somewhere to be alike."""

        @dataclasses.dataclass(frozen=True)
        class Wider(Config):
            decay: float = 0.9

        configs = [
            Wider(learning_rate=rate, epochs=2, decay=decay) for rate, decay in ((0.1, 0.9), (0.2, 0.9), (0.3, 0.5))
        ]
        assert sharing(configs) == [[0.1, 0.2], [0.3]]
        assert len({shape(config) for config in configs}) == 2
        monkeypatch.setitem(ROLES, "decay", "replica")
        assert len({shape(config) for config in configs}) == 1
        assert sharing(configs) == [[0.1, 0.2, 0.3]]

    def test_of_each_field_a_role_is_known(self):
        assert set(ROLES.values()) == {"data", "network", "replica", "alike"}


def tiny(*hidden, **changes):
    given = {"examples": 4, "itemsize": 8, "batch_size": None}
    return Shape((2, *hidden, 1), ("tanh",) * (len(hidden) + 1), **{**given, **changes})


class TestParts:
    def test_every_place_is_in_one_of_them(self):
        rng = np.random.default_rng(0)
        shapes = [tiny(*rng.integers(1, 9, size=rng.integers(3))) for _ in range(200)]
        every: list[dict[str, Any]] = [{}, {"padded": False}, {"size": 7}, {"size": 1}]
        for options in every:
            places = parts(shapes, **options)
            assert sorted(place for part in places for place in part) == list(range(200))
            assert all(len({len(shapes[place].sizes) for place in part}) == 1 for part in places)
            assert max(map(len, places)) <= options.get("size", 200)

    def test_tiny_networks_share_arrays_where_few_are_alike(self):
        assert parts([tiny(1), tiny(4), tiny(3, 3), tiny(9)]) == [[0, 1, 3], [2]]
        assert parts([tiny(1), tiny(4)], padded=False) == [[0], [1]]
        many = [tiny(1)] * ReplicasLast.smallest_chunk
        assert [0] not in [part[-1:] for part in parts([*many, tiny(2)])]
        assert parts([*many, tiny(2)])[-1] == [len(many)]
        wide = [tiny(units, examples=500) for units in (1, 4)]
        assert parts(wide) == [[0], [1]]

    @pytest.mark.parametrize("count", [1, 12, 50, 400])
    def test_they_share_as_long_as_the_work_costs_less_than_the_calls(self, count):
        """Against every way to cut a list of widths: a network of one hidden layer costs 4 (4 h + 1) products here."""
        widths = (1, 2, 3, 5, 8, 9)
        cuts = [[*cut, len(widths)] for n in range(len(widths)) for cut in combinations(range(1, len(widths)), n)]
        costs = [
            sum(2 * CALLS + count * (end - start) * 4 * (4 * widths[end - 1] + 1) for start, end in pairwise([0, *cut]))
            for cut in cuts
        ]
        found = parts([tiny(units) for units in widths for _ in range(count)], size=10_000)
        together = [sorted({widths[place // count] for place in part}) for part in found]
        cost = sum(2 * CALLS + count * len(some) * 4 * (4 * some[-1] + 1) for some in together)
        assert sorted(units for some in together for units in some) == list(widths)
        assert cost <= 1.05 * min(costs)

    def test_chunks_are_as_large_as_the_cache_and_even(self):
        chunks = list(map(len, parts([tiny(3)] * 10_000)))
        assert 1000 <= min(chunks) <= max(chunks) <= min(chunks) + 1 <= 3000
        assert list(map(len, parts([tiny(200, 200, examples=500)] * 50))) == [12, 13, 13, 12]
        assert [list(chunk) for chunk in even_chunks(5, 2)] == [[0, 1], [2], [3, 4]]

    def test_chunks_are_small_where_networks_have_many_examples_beside(self):
        config = Config(dataset="moons", n_examples=4, n_validation=100_000)
        own = 8 * 100_000 * 3  # numbers of float64: two features and a label
        few, many = ([shape(one)] * 2000 for one in (config.replace(n_validation=None), config))
        assert max(map(len, parts(few))) >= 1000
        assert 5e7 < max(map(len, parts(many))) * own < 5e8
        assert sum(map(len, parts([*few, *many]))) == 4000
        assert max(map(len, parts([*few, *many]))) == max(map(len, parts(many)))

    def test_the_layout_is_that_of_the_network_whatever_it_is_padded_to(self):
        """At the border a padded network would have too many products for the layout that it has alone."""
        border = max(units for units in range(1, 200) if choose_layout((2, units, 1), 4) is ReplicasLast)
        assert 4 * (4 * border + 1) <= TINY < 4 * (4 * (border + 1) + 1)
        assert choose_layout((2, border + 1, 1), 4) is Stacked
        configs = [
            Config(hidden=(units,), epochs=20, seed=1) for units in (border, border - 1, border - 2, border - 4, 1)
        ]
        assert len(sharing(configs)) == 5  # hooks that are not stateless see each by itself
        assert len(parts([shape(config) for config in configs])) == 1
        for result in train_many(configs):
            assert np.array_equal(result.costs, train(result.config).costs)


class TestPadding:
    def test_outputs_are_the_same_and_cropping_gives_the_network_back(self):
        networks = [build(Config(hidden=hidden, seed=seed)) for seed, hidden in enumerate([(2, 5), (4, 1), (3, 3)])]
        population, mask = stack(networks)
        assert population.sizes == (2, 4, 5, 1)
        assert mask is not None
        X = np.random.default_rng(0).normal(size=(6, 2))
        for row, network in enumerate(networks):
            assert population[row].predict(X) == pytest.approx(network.predict(X), rel=1e-12)
            assert np.array_equal(crop(population[row], network.sizes).parameters, network.parameters)
            assert mask[row].sum() == network.parameters.size
            assert not population.parameters[row][~mask[row]].any()

    def test_networks_of_the_same_layers_need_none(self):
        networks = [build(Config(seed=seed)) for seed in range(2)]
        population, mask = stack(networks)
        assert mask is None
        assert np.array_equal(population.parameters[1], networks[1].parameters)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_whatever_is_missing_becomes_zero_and_the_rest_stays(self, dtype):
        layout = ReplicasLast((2,), dtype)
        mask = np.ones((2, 13), bool)  # 2-3-1, whose second replica has two hidden units
        mask[1, [6, 7, 8, 11]] = False
        padding = Padding(layout, mask, (2, 3, 1))
        values = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.5, -2.0, np.nan, np.inf, 1.0, 2.0, np.nan, 3.0])
        gradients = np.stack([values, values], axis=1).astype(dtype)
        before = gradients.copy()
        padding.clear_parameters(gradients)()
        assert before[:, 0].tobytes() == gradients[:, 0].tobytes()
        assert before[mask[1], 1].tobytes() == gradients[mask[1], 1].tobytes()
        assert gradients[~mask[1], 1].tobytes() == np.zeros(4, dtype).tobytes()
        Z = np.full((3, 5, 2), np.nan, dtype)
        padding.clear_units(Z, 0)()
        assert np.isnan(Z).sum() == 3 * 5 * 2 - 5
        assert not Z[2, :, 1].any()

    @pytest.mark.parametrize(
        "changes",
        [
            # infinite activations times weights of zero would be NaN, where alone they end in finite outputs
            {"hidden": (1, 2), "n_examples": 4, "noise": 1e200},
            # and so would infinite derivatives, where alone a bias becomes infinite
            {"hidden": (1, 1), "output": "linear"},
        ],
        ids=["forward", "backward"],
    )
    def test_a_network_that_overflows_is_the_same_padded(self, changes):
        config = Config(activation="relu", initializer="plain", initializer_scale=1e160, epochs=1).replace(**changes)
        configs = [config.replace(hidden=hidden, seed=seed) for seed in range(20) for hidden in (config.hidden, (4, 4))]
        told = 0
        for result in train_many(configs):
            alone = train(result.config)
            assert np.array_equal(result.costs, alone.costs)
            assert np.array_equal(result.network.parameters, alone.network.parameters, equal_nan=True)
            told += np.isfinite(alone.costs).all() or np.isinf(alone.network.parameters).any()
        assert told >= 5


def test_a_sweep_of_five_shapes_shares_two_arrays_and_each_is_as_it_is_alone():
    """Some of them diverge, so that the guard looks closer at some of those that share arrays, and not at others."""
    rates = np.random.default_rng(0).choice([0.1, 3.0, 1e308], size=30)
    base, hidden = Config(output="linear", epochs=120), ((2,), (3,), (4,), (8,), (3, 3))
    configs = [
        base.replace(hidden=hidden[seed % 5], learning_rate=float(rate), seed=seed) for seed, rate in enumerate(rates)
    ]
    assert sorted(map(len, parts([shape(config) for config in configs]))) == [6, 24]
    results = train_many(configs, curve_points=20)
    assert 0 < sum(result.diverged_at is not None for result in results) < 30
    for result in results:
        alone = train(result.config, curve_points=20)
        assert (result.diverged_at, result.epochs_run) == (alone.diverged_at, alone.epochs_run)
        assert result.costs.tobytes() == alone.costs.tobytes()
        assert np.array_equal(result.network.parameters, alone.network.parameters, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"n_examples": 60, "noise": 0.1}, {"batch_size": 3}, {"patience": 3}],
    ids=["padded", "stacked", "mini-batches", "early stopping"],
)
def test_decays_of_their_own_are_to_the_bit_what_each_is_alone(changes, dtype):
    base = Config(optimizer="adamw", activation="tanh", learning_rate=0.1, epochs=80, dtype=dtype).replace(**changes)
    configs = [
        base.replace(hidden=hidden, weight_decay=decay, schedule=schedule, seed=seed)
        for hidden in ((2,), (3,), (5,))
        for seed, (decay, schedule) in enumerate(((0.0, "cosine"), (0.01, "cosine"), (0.3, "constant"), (2.0, "step")))
    ]
    assert len(parts([shape(config) for config in configs])) == (2 if not changes or "patience" in changes else 6)
    results = train_many(configs)
    if "patience" in changes:
        assert len({result.epochs_run for result in results}) > 2
    for result in results:
        alone = train(result.config)
        assert result.epochs_run == alone.epochs_run
        assert result.costs.tobytes() == alone.costs.tobytes()
        assert result.network.parameters.tobytes() == alone.network.parameters.tobytes()
        if result.config.weight_decay == 0:
            adam = train(result.config.replace(optimizer="adam"))
            assert adam.network.parameters.tobytes() == alone.network.parameters.tobytes()


def test_a_population_of_one_has_no_axis():
    shapes = []

    class Look(Hook):
        def on_epoch(self, run):
            shapes.append((np.shape(run.cost), run.network.lead, run.gradients.lead, run.activations[0].ndim))
            run.network.weights[0][0, 0] = 7.0

    result = train(Config(epochs=1), [Look()])
    assert shapes == [((), (), (), 2)]
    assert result.network.weights[0][0, 0] == pytest.approx(7, abs=1)
    assert isinstance(result.cost, float)


def test_ten_thousand_networks_stay_small(tmp_path):
    """Curves of 10,000 replicas over 5,000 epochs are thinned, so that all of them fit."""
    many = [Config(epochs=1100, seed=seed % 50, learning_rate=0.1 + seed / 1e5) for seed in range(10_000)]
    results = train_many(many)
    assert len(results) == 10_000
    assert sum(result.costs.nbytes for result in results) < 20e6
    last = train(many[-1], curve_points=200)
    assert np.array_equal(results[-1].cost_epochs, last.cost_epochs)
    assert np.array_equal(results[-1].costs, last.costs)


def test_predictions_of_a_cropped_population():
    population = Network([2, 4, 1], ["tanh", "linear"], np.random.default_rng(0).normal(size=(3, 17)))
    small = crop(population, (2, 2, 1))
    assert small.lead == (3,)
    assert np.array_equal(small.weights[0], population.weights[0][:, :2])
