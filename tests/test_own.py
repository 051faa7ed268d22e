"""Functions of one's own: by name, in every place where a name stands, and refused where they are wrong."""

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, gradient_check, train, train_many
from sandbox.model import Model
from sandbox.nn import Activation, Cost, Optimizer
from sandbox.nn.initializers import get_initializer
from sandbox.own import name_of
from sandbox.sweeps import Sweep, choice, log_grid
from sandbox.sweeps.driver import run_sweep
from sandbox.tracking import Store
from tests import own_functions as mine

ROOT = Path(__file__).parent.parent
OWN: dict[str, Any] = {
    "activation": "tests.own_functions:swish",
    "cost": "tests.own_functions:log_cosh",
    "initializer": "tests.own_functions:ones_and_twos",
    "schedule": "tests.own_functions:warmup",
    "optimizer": "tests.own_functions:sign_descent",
    "crosses": ("tests.own_functions:bump(x1)", "tests.own_functions:radius"),
}
BASE: dict[str, Any] = {"dataset": "moons", "n_examples": 30, "epochs": 60, "learning_rate": 0.01, "hidden": (4,)}


def command(*words, cwd, check=False):
    """`sandbox` as a user runs it; of what was said on standard error the last line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "sandbox", *map(str, words)]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=check)
    return done.returncode, done.stdout, done.stderr.strip().split("\n")[-1]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """What writes a module of one's own, imports it anew, and gives it."""
    names = []

    def write(text, name="written_by_a_test"):
        (tmp_path / f"{name}.py").write_text(text)
        names.append(name)
        sys.modules.pop(name, None)
        sys.path_importer_cache.clear()
        return __import__(name)

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield write
    for name in names:
        sys.modules.pop(name, None)


def by_hand(config, costs=False):
    """The weights, biases and costs after gradient descent, from the formulas: one hidden layer, sigmoid output."""
    problem = train(config.replace(epochs=1)).problem
    X, Y = problem.inputs(problem.train.X).T, problem.train.Y.T
    rng = np.random.default_rng(config.seed)
    draw = mine.ones_and_twos if config.initializer == OWN["initializer"] else get_initializer(config.initializer)
    sizes = [len(X), *config.hidden, 1]
    Ws = [draw(rng, shape).astype(float) for shape in zip(sizes[1:], sizes[:-1], strict=True)]
    bs = [np.zeros((n, 1)) for n in sizes[1:]]
    recorded = []
    for epoch in range(config.epochs):
        Z = Ws[0] @ X + bs[0]
        s = 1 / (1 + np.exp(-Z))
        A = Z * s
        P = 1 / (1 + np.exp(-(Ws[1] @ A + bs[1])))
        recorded.append(np.log(np.cosh(P - Y)).sum() / Y.size)
        dZ2 = np.tanh(P - Y) / Y.size * P * (1 - P)
        dZ1 = Ws[1].T @ dZ2 * (s + A * (1 - s))
        rate = config.learning_rate * min(1.0, (epoch + 1) / (0.1 * config.epochs))
        slopes = [(dZ1, X), (dZ2, A)]
        for W, b, (dZ, below) in zip(Ws, bs, slopes, strict=True):
            W -= rate * np.sign(dZ @ below.T)
            b -= rate * np.sign(dZ.sum(1, keepdims=True))
    return Ws, bs, recorded


def test_all_of_them_together_come_to_what_the_formulas_say():
    config = Config(**{**BASE, **OWN})
    result = train(config)
    Ws, bs, costs = by_hand(config)
    assert result.costs == pytest.approx(costs, rel=1e-9)
    for ours, theirs in zip([*result.network.weights, *result.network.biases], [*Ws, *bs], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    problem = result.problem
    columns = problem.inputs(problem.train.X)[:, 2:]
    x1, x2 = problem.train.X.T
    assert columns == pytest.approx(np.column_stack([np.exp(-(x1**2)), np.sqrt(x1**2 + x2**2)]))


def test_given_as_they_are_they_are_the_same_config():
    given = Config(
        **BASE,
        activation=mine.swish,
        cost=mine.log_cosh,
        initializer=mine.ones_and_twos,
        schedule=mine.warmup,
        optimizer=mine.sign_descent,
        crosses=("tests.own_functions:bump(x1)", mine.radius),
    )
    named = Config(**{**BASE, **OWN})
    assert given == named
    assert given.key == named.key
    assert Config.from_params(given.params()) == named
    assert pickle.loads(pickle.dumps(given)) == named
    assert sorted(given.functions) == sorted(
        {"tests.own_functions:bump", *(str(name) for name in OWN.values())} - {str(OWN["crosses"])}
        | {"tests.own_functions:radius"}
    )


@pytest.mark.parametrize("name", ["sin", "cos", "softplus", "swish", "gelu"])
def test_the_built_in_ones_pass_the_check_of_gradients(name):
    network = Network.initialize([2, 3, 1], [name, "sigmoid"], "xavier", np.random.default_rng(0))
    X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    assert gradient_check(network, X, Y, "binary_cross_entropy") < 1e-6


def test_own_activation_and_cost_pass_it_too():
    network = Network.initialize([2, 3, 1], [mine.swish, "sigmoid"], mine.ones_and_twos)
    assert network.activations[0] == OWN["activation"]
    assert gradient_check(network, [[0.1, 0.2], [0.3, 1]], [0, 1], OWN["cost"]) < 1e-6


def test_fit_takes_them_as_they_are():
    network = Network.initialize([2, 3, 1], [mine.swish, "sigmoid"])
    parts = {"cost": mine.log_cosh, "optimizer": mine.sign_descent, "schedule": mine.warmup}
    run = fit(network, [[0, 0], [0, 1]], [0, 1], learning_rate=0.01, epochs=50, **parts)
    assert run.cost < run.costs[0] * 0.9


@pytest.mark.parametrize("hidden", [(3,), (3, 5), (40, 30)])
def test_populations_come_to_the_same_bits(hidden):
    """Tiny networks padded to the widest, and large ones; side by side and one by one."""
    fields = {**BASE, **OWN, "epochs": 25}
    configs = [Config(**{**fields, "hidden": hidden, "seed": seed}) for seed in range(3)]
    configs += [Config(**{**fields, "hidden": tuple(n + 1 for n in hidden), "seed": seed}) for seed in range(2)]
    for config, beside in zip(configs, train_many(configs), strict=True):
        alone = train(config)
        assert alone.network.parameters.tobytes() == beside.network.parameters.tobytes()
        assert alone.costs.tobytes() == beside.costs.tobytes()
        assert alone.test_cost == beside.test_cost


def test_float32_stays_float32():
    result = train(Config(**{**BASE, **OWN, "dtype": "float32"}))
    assert result.network.parameters.dtype == np.float32
    assert result.cost == pytest.approx(train(Config(**{**BASE, **OWN})).cost, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_sweep_with_tpe_on_an_executor(tmp_path, method):
    base = Config(**{**BASE, **OWN})
    space = {"activation": choice("tanh", mine.swish), "learning_rate": log_grid(0.003, 0.03, 3)}
    sweep = Sweep("own", base, space, sampler="tpe", trials=8, seeds=2)
    with ProcessPoolExecutor(2, mp_context=get_context(method)) as executor:
        outcome = run_sweep(sweep, Store(None, tmp_path), tmp_path, executor=executor, quiet=True)
    assert (outcome.status, outcome.best is None) == ("FINISHED", False)
    again = run_sweep(sweep, Store(None, tmp_path), tmp_path, quiet=True)
    assert (again.status, again.before) == ("FINISHED", 8)


SCRIPT = """
import numpy as np
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from sandbox import Config
from sandbox.nn import Activation
from sandbox.sweeps import Sweep, choice
from sandbox.sweeps.driver import run_sweep
from sandbox.tracking import Store

cube = Activation(lambda z: z**3 / 3, lambda z: z**2)

if __name__ == "__main__":
    base = Config(dataset="or", hidden=(2,), activation=cube, epochs=20)
    print(base.activation)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        sweep = Sweep("script", base, {"learning_rate": choice(0.1, 0.2)}, seeds=2)
        print(run_sweep(sweep, Store(None, Path("runs")), Path("runs"), executor=executor, quiet=True).status)
"""


@pytest.mark.slow
def test_functions_of_the_script_that_is_run_are_found_by_its_name(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "mine.py"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mine:cube", "FINISHED"]
    assert command("doctor", cwd=tmp_path)[:2] == (0, "1 sweeps and comparisons examined: nothing disagrees\n")
    (tmp_path / "mine.py").unlink()  # the doctor does not need it
    assert command("doctor", cwd=tmp_path)[0] == 0


@pytest.mark.slow
def test_the_command_line(tmp_path):
    (tmp_path / "my_functions.py").write_text((ROOT / "tests" / "own_functions.py").read_text())
    options = [f"--{name}" for name in OWN if name != "crosses"]
    values = [str(OWN[name]).replace("tests.own_functions", "my_functions") for name in OWN if name != "crosses"]
    words = [word for pair in zip(options, values, strict=True) for word in pair]
    words += ["--crosses", "my_functions:bump(x1),my_functions:radius"]
    data = ["--dataset", "moons", "--n-examples", 30, "--epochs", 60, "--learning-rate", 0.01, "--hidden", 4]
    code, output, _ = command("train", *data, *words, "--json", cwd=tmp_path)
    assert code == 0
    assert json.loads(output)["cost"] == train(Config(**{**BASE, **OWN})).cost
    run = json.loads(output)["run_id"]
    np.savetxt(tmp_path / "new.csv", [[0.1, 0.2], [1, 1]], delimiter=",", header="x1,x2", comments="")
    code, output, _ = command("predict", run, "new.csv", cwd=tmp_path)
    assert (code, len(output.splitlines())) == (0, 2)
    code, _, said = command("export", run, cwd=tmp_path)
    assert code == 2
    assert "a function of yours, which NumPy alone has not: export it as json, which names it" in said
    assert json.loads(command("export", run, "--as", "json", cwd=tmp_path, check=True)[1])["layers"][0][
        "activation"
    ] == ("my_functions:swish")
    code, output, _ = command("explain", "xor", "--hidden", 2, *words[:4], cwd=tmp_path)
    assert code == 0
    assert "swish'(z1[1])" in output
    assert "log_cosh'(yhat, y)" in output
    text = (tmp_path / "my_functions.py").read_text()
    (tmp_path / "my_functions.py").write_text(text.replace("BETA = 1.0", "BETA = 1.5"))
    code, _, said = command("predict", run, "new.csv", cwd=tmp_path)
    assert code == 2
    assert "my_functions:swish is another function now than the one that it was trained with" in said


def test_what_the_graph_says_of_them_is_what_the_trainer_does():
    from sandbox.graph import batch_graph
    from sandbox.nn import gradients

    network = Network.initialize([2, 3, 1], [mine.swish, "sigmoid"], "xavier", np.random.default_rng(4))
    X, Y = np.array([[0.3, -1], [0.5, 2], [1, 1]]), [0, 1, 1]
    graph = batch_graph(network, X, Y, OWN["cost"])
    cost, slopes = gradients(network, X, Y, OWN["cost"])
    assert graph.loss.value.item() == pytest.approx(float(cost), rel=1e-12)
    assert graph["W1"].gradient == pytest.approx(slopes.weights[0], rel=1e-12)
    assert graph["b2"].gradient == pytest.approx(slopes.biases[1], rel=1e-12)


def test_the_key_is_of_the_source_and_not_of_its_looks(written):
    text = "from sandbox.nn import Activation\n\nHALF = {half}\n\n\ndef g(z):{comment}\n    return HALF * z * z\n\n\n"
    text += "bent = Activation(g, lambda z: 2 * HALF * z)\n"
    keys = []
    for half, comment in ((0.5, ""), (0.5, "  # a comment"), (0.25, "")):
        module = written(text.format(half=half, comment=comment))
        keys.append(Config(activation=module.bent).key)
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.slow
def test_a_changed_function_is_not_done(written, tmp_path):
    text = "def once(epoch, epochs):\n    return {}\n"
    space = {"learning_rate": choice(0.1, 0.2)}
    counts = []
    for factor in (1.0, 1.0, 0.5):
        module = written(text.format(factor))
        sweep = Sweep("own", Config(dataset="or", hidden=(), schedule=module.once, epochs=5), space, seeds=1)
        counts.append(run_sweep(sweep, Store(None, tmp_path), tmp_path, quiet=True).before)
    assert counts == [0, 2, 0]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "off = Activation(np.sin, lambda z: 2 * np.cos(z))": (
        {"activation": "wrong_of_mine:off"},
        "activation wrong_of_mine:off has the slope -1.19822 at 4.07, where finite differences say -0.59911",
    ),
    "log = Activation(np.log, lambda z: 1 / z)": (
        {"activation": "wrong_of_mine:log"},
        "activation wrong_of_mine:log gives nan at -4.03: finite numbers are needed",
    ),
    "shifted = Activation(lambda z: z - z.mean(), np.ones_like)": (
        {"activation": "wrong_of_mine:shifted"},
        "activation wrong_of_mine:shifted is not the same for a number beside others: it has to work entry by entry",
    ),
    "total = Activation(np.sum, np.ones_like)": (
        {"activation": "wrong_of_mine:total"},
        "activation wrong_of_mine:total gives the shape () for (60,): one number for each is needed",
    ),
    "def plain(z):\n    return z": (
        {"activation": "wrong_of_mine:plain"},
        "wrong_of_mine:plain is no activation: sandbox.nn.Activation(function, slope) is needed, both of z",
    ),
    "raises = Activation(lambda z: z.nothing, np.cos)": (
        {"activation": "wrong_of_mine:raises"},
        "activation wrong_of_mine:raises: AttributeError: 'numpy.ndarray' object has no attribute 'nothing' "
        "(wrong_of_mine.py, line 5)",
    ),
    "half = Cost(lambda A, Y: (A - Y) ** 2, lambda A, Y: A - Y)": (
        {"cost": "wrong_of_mine:half"},
        "cost wrong_of_mine:half has the slope -0.525632 at 0.4744, 1, where finite differences say -1.05126",
    ),
    "def weights(rng, shape):\n    return rng.normal(size=3)": (
        {"initializer": "wrong_of_mine:weights"},
        "initializer wrong_of_mine:weights gives array([ 0.12573022, -0.13210486, 0.64042265]) for the shape (3, 2): "
        "weights are needed",
    ),
    "def negative(epoch, epochs):\n    return 1 - 2 * epoch / epochs": (
        {"schedule": "wrong_of_mine:negative"},
        "schedule wrong_of_mine:negative gives -0.98 at epoch 99 of 100: 0 or more is needed",
    ),
    "norm = Optimizer(lambda w, g, rate: w - rate * g / np.linalg.norm(g))": (
        {"optimizer": "wrong_of_mine:norm"},
        "optimizer wrong_of_mine:norm moves a parameter differently beside others: it has to work entry by entry",
    ),
    "def scaled(X):\n    return X / X.max()": (
        {"crosses": ("wrong_of_mine:scaled(x1)",)},
        "feature wrong_of_mine:scaled is not the same for a row beside others: it has to work row by row",
    ),
    "def both(X):\n    return X": (
        {"crosses": ("wrong_of_mine:both",)},
        "feature wrong_of_mine:both gives the shape (8, 2) for (8, 2): (8,) is needed",
    ),
    "here = 1": (
        {"crosses": ("wrong_of_mine:ther(x1)",)},
        "unknown feature 'ther': did you mean 'here'? Valid: Activation, Cost, Optimizer, here",
    ),
    "1 +": ({"cost": "wrong_of_mine:any"}, "cost wrong_of_mine:any: invalid syntax (wrong_of_mine.py, line 5)"),
    "1 / 0": (
        {"cost": "wrong_of_mine:any"},
        "cost wrong_of_mine:any: ZeroDivisionError: division by zero (wrong_of_mine.py, line 5)",
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_them_is_one_line(tmp_path, monkeypatch, text):
    fields, message = WRONG[text]
    head = "import numpy as np\n\nfrom sandbox.nn import Activation, Cost, Optimizer\n\n"
    (tmp_path / "wrong_of_mine.py").write_text(head + text + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    sys.modules.pop("wrong_of_mine", None)
    try:
        with pytest.raises(RequestError) as error:
            Config(dataset="moons", **fields)
    finally:
        sys.modules.pop("wrong_of_mine", None)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:swish", "activation nowhere:swish: No module named 'nowhere'"),
        (":swish", "activation is ':swish': write MODULE:NAME, such as my_module:my_activation"),
        ("my functions:swish", "activation is 'my functions:swish': write MODULE:NAME"),
        ("a:b:c", "activation is 'a:b:c': write MODULE:NAME"),
        ("os:kill", "activation os:kill is no function that is written in Python"),
    ],
)
def test_names_that_lead_nowhere(name, message):
    with pytest.raises(RequestError) as error:
        Config(activation=name)
    assert str(error.value).startswith(message)


def test_what_has_no_name_is_one_line():
    local = Activation(np.sin, np.cos)
    wrong: list[tuple[str, Any]] = [
        ("activation", local),
        ("initializer", lambda rng, shape: np.ones(shape)),
        ("cost", Cost(np.subtract, np.subtract)),
        ("optimizer", Optimizer(np.subtract)),
        ("crosses", (lambda X: X[:, 0],)),
    ]
    for field, thing in wrong:
        given: dict[str, Any] = {field: thing}
        with pytest.raises(RequestError) as error:
            Config(**given)
        assert "has no name by which others could find it: define it at the top of a module" in str(error.value)
        assert "\n" not in str(error.value)


def test_scikit_learn_takes_them_too():
    from sklearn.base import clone
    from sklearn.datasets import make_moons
    from sklearn.model_selection import cross_val_score

    from sandbox import SandboxClassifier

    X, y = make_moons(60, noise=0.1, random_state=0)
    parts = {"cost": mine.log_cosh, "optimizer": mine.sign_descent, "initializer": mine.ones_and_twos}
    one: Any = SandboxClassifier(activation=mine.swish, **parts, crosses=[mine.radius], learning_rate=0.01, epochs=200)
    copy: Any = clone(one)
    assert copy.activation is mine.swish
    named = copy.set_params(activation=OWN["activation"], crosses=["tests.own_functions:radius"])
    assert one.fit(X, y).loss_ == named.fit(X, y).loss_
    assert cross_val_score(one, X, y, cv=3, n_jobs=2).min() > 0.8


def test_a_name_is_that_of_where_it_was_made():
    assert name_of("activation", mine.swish) == "tests.own_functions:swish"
    assert name_of("schedule", mine.warmup) == "tests.own_functions:warmup"


def test_a_kept_network_needs_them(monkeypatch):
    model = train(Config(**{**BASE, **OWN})).model
    content = model.to_bytes()
    again = Model.from_bytes(content)
    rows = [[0.5, 0.5], [-1, 2]]
    assert again.predict(rows).tolist() == model.predict(rows).tolist()
    monkeypatch.delattr(mine, "swish")
    with pytest.raises(RequestError, match=r"network\.npz: unknown activation 'swish'"):
        Model.from_bytes(content)


def test_random_biases_and_equal_weights():
    config = Config(dataset="moons", initializer="constant", initializer_scale=0.5, bias_scale=0.2, seed=3, epochs=1)
    from sandbox.train import build

    network = build(config)
    assert all((W == 0.5).all() for W in network.weights)
    drawn = np.random.default_rng(3).standard_normal(4)
    assert [*network.biases[0][:, 0], *network.biases[1][:, 0]] == pytest.approx(0.2 * drawn)
    plain = build(config.replace(initializer="xavier", bias_scale=0.0))
    assert all(
        np.array_equal(one, other)
        for one, other in zip(build(config.replace(initializer="xavier")).weights, plain.weights, strict=True)
    )
