"""Campaigns with hooks and pictures of the user's own: here, with a pruner, on an executor; and when they raise."""

import io
import os
import signal
import subprocess
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from sandbox import Config, Hook, RequestError, load_dataset, train
from sandbox.doctor import examine
from sandbox.nn.hooks import Snapshots
from sandbox.sweeps import Sweep, choice, run_sweep
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from tests.conftest import hear_interrupts

EPOCHS = 60
BASE = Config(dataset="moons", n_examples=40, noise=0.1, activation="relu", epochs=EPOCHS)
SPACE = {"hidden": choice((4,), (6, 4)), "learning_rate": choice(0.01, 0.1, 1.0)}


class DeadUnits(Hook):
    """The share of hidden units that are off for all examples."""

    every = 10

    def on_epoch(self, run):
        dead = [(outputs == 0).all(-1) for outputs in run.activations[:-1]]
        run.record("dead_units", np.concatenate(dead, -1).mean(-1))


class Where(Hook):
    """The number of the process that trains."""

    epochs = (0,)

    def on_epoch(self, run):
        run.record("process", np.full(np.shape(run.cost), os.getpid()))


def weights_histogram(result):
    """How the parameters are spread."""
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().hist(result.network.parameters)
    return figure


def dead_by_hand(config, epoch):
    """The same share, by NumPy alone, of the network as it is at an epoch."""
    network = train(config, [Snapshots([epoch])]).snapshots[epoch]
    outputs, dead = load_dataset(config.dataset, n=config.n_examples, noise=config.noise).X, []
    for weights, biases in zip(network.weights[:-1], network.biases[:-1], strict=True):
        outputs = np.maximum(0, outputs @ weights.T + biases.reshape(-1))
        dead.append((outputs == 0).all(0))
    return np.concatenate(dead).mean()


def steps_of(plain, run, name):
    return [point.step for point in plain.get_metric_history(run.info.run_id, name)]


def picture_of(plain, run, name, directory):
    with open(plain.download_artifacts(run.info.run_id, name, str(directory)), "rb") as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
        return image.size


@pytest.mark.parametrize("way", ["here", "with a pruner", "on an executor"])
def test_every_run_holds_the_curve_of_an_own_hook_and_an_own_picture(way, run_here, logged, plain, tmp_path):
    name = f"dead units {way}"
    sweep = Sweep(name, BASE, SPACE, seeds=3, hooks=[DeadUnits(), Where()], pictures=[weights_histogram])
    if way == "on an executor":
        with ProcessPoolExecutor(2) as executor:
            outcome = run_here(sweep, executor=executor)
    else:
        outcome = run_here(sweep, **({"pruner": "median"} if way == "with a pruner" else {}))
    assert (outcome.status, outcome.done) == ("FINISHED", 18)
    assert bool(outcome.pruned) == (way == "with a pruner")

    (parent,), runs = logged(name)
    assert parent.info.status == "FINISHED"
    assert len({run.data.tags["config_key"] for run in runs}) == len(runs) == 18
    assert sum(run.info.status == "KILLED" for run in runs) == outcome.pruned
    for run in runs:
        last = int(run.data.metrics["epochs_run"])
        assert (last < EPOCHS) == (run.info.status == "KILLED")
        assert steps_of(plain, run, "dead_units") == [*range(0, min(last + 1, EPOCHS), 10)]
        assert picture_of(plain, run, "weights_histogram.png", tmp_path) == (300, 200)
    for run in (runs[0], runs[-1]):
        config = Config.from_params(run.data.params)
        for point in plain.get_metric_history(run.info.run_id, "dead_units")[::2]:
            assert point.value == pytest.approx(dead_by_hand(config, point.step))

    processes = {int(run.data.metrics["process"]) for run in runs}
    if way == "on an executor":
        assert len(processes) == 2
        assert os.getpid() not in processes
    else:
        assert processes == {os.getpid()}


class Fast(DeadUnits):
    every = 1


def test_a_curve_recorded_at_every_epoch_has_200_points(small, run_here, logged, plain):
    base = BASE.replace(epochs=1000, hidden=(4,))
    run_here(small("every epoch", base=base, hooks=[Fast()]))
    for run in logged("every epoch")[1]:
        steps = steps_of(plain, run, "dead_units")
        assert len(steps) == 200
        assert (steps[0], steps[-1]) == (0, 999)
        assert len(steps_of(plain, run, "cost")) <= 200


def test_a_pruner_watches_here_and_not_on_an_executor(small, run_here, logged):
    with ThreadPoolExecutor(1) as executor, pytest.raises(RequestError, match="leave out the pruner, or the workers"):
        run_here(small("both"), pruner="median", executor=executor)
    assert logged("both") == ([], [])


def test_numbers_do_not_depend_on_where_they_are_trained(small, run_here, logged):
    with ProcessPoolExecutor(2) as executor:
        run_here(small("apart"), executor=executor, batch=1)
    run_here(small("together"))
    apart, together = (
        {run.data.tags["config_key"]: (run.data.metrics["final_cost"], run.data.metrics["test_cost"]) for run in runs}
        for runs in (logged(name)[1] for name in ("apart", "together"))
    )
    assert apart.keys() == together.keys()
    for key, figures in apart.items():
        assert figures == together[key]


APART = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from sandbox.sweeps import run_sweep
from sandbox.tracking import Store
from tests.test_campaign import LONG

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context(sys.argv[1])) as executor:
        outcome = run_sweep(LONG, Store(sys.argv[2]), Path("runs"), executor=executor, batch=2, writers=1)
    print(outcome.status, outcome.done, outcome.why)
"""
LONG = Sweep("apart and stopped", BASE.replace(epochs=20_000), {"learning_rate": choice(0.1, 0.2)}, seeds=24)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_ctrl_c_reaches_an_executors_processes_too_and_their_parts_end_all_the_same(method, tmp_path):
    """As a terminal has it, which sends the signal to all that run in it."""
    (tmp_path / "apart.py").write_text(APART)
    store, root = Store(f"sqlite:///{tmp_path}/mlflow.db"), tmp_path / "runs"
    store.check()
    words = [sys.executable, "apart.py", method, store.uri]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    options = {"cwd": tmp_path, "env": environment, "start_new_session": True, "preexec_fn": hear_interrupts, **piped}
    with subprocess.Popen(words, **options) as process:
        until(lambda: list(root.glob("spool/*/*.run")) or process.poll() is not None, 60)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    status, done, why = output.split()
    assert (status, why) == ("KILLED", "interrupted")
    assert 4 <= int(done) < 48
    assert "Traceback" not in errors
    outcome = run_sweep(LONG.replace(seeds=int(done) // 2 + 1), store, root, quiet=True, writers=1)
    assert (outcome.status, outcome.before) == ("FINISHED", int(done))
    assert examine(store, root).findings == []


# Hooks and pictures that raise -----------------------------------------------------------------------------------------


class Broken(Hook):
    """Divides by zero in the training of one run."""

    epochs = (20,)

    def on_epoch(self, run):
        for config in run.configs:
            _ = 1 / (config.learning_rate - 1 or config.seed - 1)


def broken_picture(result):
    """Looks for what is not there, in the drawing of one run."""
    if (result.config.learning_rate, result.config.seed) == (1.0, 1):
        return {}["not there"]
    return weights_histogram(result)


KINDS = {
    "hook": ({"hooks": [Broken()]}, {"hooks": [DeadUnits()]}, ZeroDivisionError, "training", "on_epoch"),
    "picture": (
        {"pictures": [broken_picture]},
        {"pictures": [weights_histogram]},
        KeyError,
        "drawing",
        "broken_picture",
    ),
}


def until(ready, seconds=30):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("apart", [False, True], ids=["here", "on an executor"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_raises_comes_out_as_it_is_names_the_run_and_loses_nothing(
    kind, apart, small, run_here, logged, store, root
):
    broken, mended, error, doing, function = KINDS[kind]
    sweep = small(f"broken {kind} {apart}", seeds=3)  # seed by seed, two rates each: the fourth run is the one
    with ProcessPoolExecutor(1) as executor:
        options = {"executor": executor, "batch": 2} if apart else {"batch": 2}
        with pytest.raises(error) as caught:
            run_here(sweep.replace(**broken), **options)
    assert caught.value.__notes__ == [f"while {doing} the run 'rate 1 seed 1'"]
    where = "".join(traceback.format_exception(caught.value))  # with that of the other process, if it was there
    assert f"in {function}\n" in where
    assert Path(__file__).name in where

    until(lambda: not Spool(store.uri, root).files())
    (parent,), runs = logged(sweep.name)
    assert parent.info.status == "FAILED"
    done = {(run.data.params["learning_rate"], run.data.params["seed"]) for run in runs}
    assert {("0.1", "0"), ("1.0", "0")} <= done
    assert ("1.0", "1") not in done
    assert {run.info.status for run in runs} == {"FINISHED"}

    outcome = run_here(sweep.replace(**mended))
    assert (outcome.status, outcome.done, outcome.before) == ("FINISHED", 6, len(runs))
    (parent,), runs = logged(sweep.name)
    assert parent.info.status == "FINISHED"
    assert len({run.data.tags["config_key"] for run in runs}) == len(runs) == 6
    assert [one for one in examine(store, root).findings if one.campaign == sweep.id] == []


def test_the_end_of_a_campaign_holds_also_when_the_clock_was_set_back(small, run_here, logged, monkeypatch):
    sweep = small("clock set back")
    with pytest.raises(ZeroDivisionError):
        run_here(sweep.replace(hooks=[Broken()]), batch=1)
    until(lambda: [run.info.status for run in logged(sweep.name)[0]] == ["FAILED"])
    now = time.time_ns
    monkeypatch.setattr("sandbox.tracking.spool.time.time_ns", lambda: now() - 10**15)
    assert run_here(sweep).status == "FINISHED"
    (parent,), runs = logged(sweep.name)
    assert (parent.info.status, len(runs)) == ("FINISHED", 4)


MINE = """
import io
import numpy as np
from matplotlib.figure import Figure
from sandbox import Hook

class DeadUnits(Hook):
    every = 10

    def on_epoch(self, run):
        dead = [(outputs == 0).all(-1) for outputs in run.activations[:-1]]
        run.record("dead_units", np.concatenate(dead, -1).mean(-1))

class Broken(Hook):
    def on_epoch(self, run):
        raise LookupError("nothing here")

class Refused(Hook):
    def on_epoch(self, run):
        raise OSError("a file of mine")

class Named(Hook):
    def __init__(self, name):
        self.name = name

named = Named("given")

class NoHook:
    pass

nothing = 7

def weights_histogram(result):
    figure = Figure()
    figure.add_subplot().hist(result.network.parameters)
    return figure

def broken_picture(result):
    return result.nothing
"""
QUICK = ("--dataset", "moons", "--n-examples", 30, "--activation", "relu", "--hidden", 4, "--epochs", 30)
VARY = ("--vary", "learning_rate=0.1,1", "--seeds", 1)
OWN = ("--hook", "mine:DeadUnits", "--picture", "mine:weights_histogram")


def test_a_user_sees_the_traceback_of_what_is_the_users_own(call, own_module, store, tmp_path):
    own_module("mine", MINE)
    options = (*QUICK, *VARY, "--name", "traceback", "--tracking-uri", store.uri)
    code, output, errors = call("sweep", "--hook", "mine:Refused", *options, cwd=tmp_path)
    assert (code, output) == (1, "")
    assert "Traceback (most recent call last)" in errors
    assert 'mine.py", line' in errors
    end = "OSError: a file of mine\nwhile training the run 'rate 0.1 seed 0'"
    assert errors.rstrip().endswith(end)


@pytest.mark.parametrize(
    ("words", "error", "doing"),
    [
        (("--hook", "mine:Broken"), LookupError, "training"),
        (("--picture", "mine:broken_picture"), AttributeError, "drawing"),
    ],
)
def test_no_command_swallows_what_is_the_users_own(words, error, doing, here, own_module, store):
    own_module("mine", MINE)
    with pytest.raises(error) as caught:
        here("sweep", *words, *QUICK, *VARY, "--name", f"raised {doing}", "--tracking-uri", store.uri)
    assert caught.value.__notes__ == [f"while {doing} the run 'rate 0.1 seed 0'"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--hook nowhere:X", "hook nowhere:X: No module named 'nowhere'"),
        ("--hook mine:DeadUnit", "unknown hook 'DeadUnit': did you mean 'DeadUnits'?"),
        ("--hook mine:NoHook", "mine:NoHook is no hook: a class derived from sandbox.Hook, or an instance"),
        ("--hook mine:nothing", "mine:nothing is no hook"),
        ("--hook mine:Named", "hook mine:Named cannot be made without arguments"),
        ("--hook x", "unknown hook 'x': Valid: "),
        ("--hook GradientNorm", "did you mean 'GradientNorms'?"),
        ("--hook mine:", "write MODULE:NAME, such as my_module:my_hook"),
        ("--hook :DeadUnits", "write MODULE:NAME"),
        ("--hook .mine:DeadUnits", "write MODULE:NAME"),
        ("--hook ../mine:DeadUnits", "write MODULE:NAME"),
        ("--picture mine:nothing", "mine:nothing is no picture: a function of a Result is needed"),
        ("--picture mine:weights_histogrm", "unknown picture 'weights_histogrm': did you mean 'weights_histogram'?"),
        ("--picture mine", "write MODULE:NAME, such as my_module:my_picture"),
    ],
)
@pytest.mark.parametrize("command", ["sweep", "train", "compare", "experiment"])
def test_a_wrong_name_is_one_line_and_leaves_nothing(words, said, command, here, own_module, tmp_path):
    own_module("mine", MINE)
    head = {"experiment": (), "sweep": ("sweep", *VARY)}.get(command, (command,))
    code, output, errors = here(*head, *words.split(), script="depth" if command == "experiment" else None)
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert said in errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def holds_both(plain, run):
    return steps_of(plain, run, "dead_units")[:1] == [0] and "weights_histogram.png" in {
        file.path for file in plain.list_artifacts(run.info.run_id)
    }


@pytest.mark.parametrize("command", ["sweep", "train", "experiment"])
def test_own_code_from_a_file_in_the_current_directory(command, here, own_module, store, plain, logged):
    own_module("mine", MINE)
    head = {"sweep": ("sweep", *VARY, "--name", "own by command"), "train": ("train",)}.get(command, ("--trials", 2))
    script = "depth" if command == "experiment" else None
    code, output, errors = here(*head, *QUICK, *OWN, "--tracking-uri", store.uri, script=script)
    assert code == 0, errors
    if command == "train":
        runs = [plain.get_run(next(line.split()[1] for line in output.splitlines() if line.startswith("run_id")))]
    else:
        runs = logged({"sweep": "own by command", "experiment": "depth"}[command])[1]
        runs = [run for run in runs if run.data.params["activation"] == "relu"]
        assert len(runs) == 2
    assert all(holds_both(plain, run) for run in runs)


def test_an_instance_and_a_built_in_hook_by_name(here, own_module, store, plain):
    own_module("mine", MINE)
    words = ("--hook", "mine:named", "--hook", "GradientNorms", "--tracking-uri", store.uri)
    code, output, errors = here("train", *QUICK, *words)
    assert code == 0, errors
    run = plain.get_run(next(line.split()[1] for line in output.splitlines() if line.startswith("run_id")))
    assert any("gradient" in name for name in run.data.metrics)


def test_a_hook_is_an_instance_and_a_picture_a_function(small):
    with pytest.raises(RequestError, match="is no hook: give instances of Hook"):
        small("class", hooks=[DeadUnits])
    with pytest.raises(RequestError, match="is no function of a Result"):
        small("text", pictures=["weights"])


def test_the_same_campaign_is_refused_while_it_is_under_way(small, run_here):
    """A hook of the first that starts the second."""

    class Again(Hook):
        def on_start(self, run):
            with pytest.raises(RequestError, match="is under way in another process"):
                run_here(small("nested"))

    outcome = run_here(small("nested", hooks=[Again()]))
    assert (outcome.status, outcome.done) == ("FINISHED", 4)
