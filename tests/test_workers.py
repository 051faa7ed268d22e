"""Sweeps that are trained elsewhere: in processes of this machine, and on a real Dask cluster; and what may befall these."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sandbox import Config, Dataset, Hook, RequestError
from sandbox.doctor import examine
from sandbox.job import Job
from sandbox.lot import _light, _unpacked
from sandbox.sweeps import Sweep, choice, run_sweep
from sandbox.workers import Processes, WorkersError, about, opened
from tests.conftest import ROOT
from tests.test_campaign import Where

BASE = Config(dataset="moons", n_examples=40, epochs=100)


class Deadly(Hook):
    """Ends the process that trains a certain seed: always, or the first time, as a file remembers."""

    epochs = (20,)

    def __init__(self, seed, once=""):
        self.seed, self.once = seed, once

    def on_epoch(self, run):
        if any(config.seed == self.seed for config in run.configs):
            if self.once:
                with suppress(FileExistsError), open(self.once, "x"):
                    os.kill(os.getpid(), signal.SIGKILL)
            else:
                os.kill(os.getpid(), signal.SIGKILL)


class Slow(Hook):
    """A run that takes its time."""

    every = 10

    def on_epoch(self, run):
        time.sleep(0.02)


def figures_of(runs):
    """All final values by config, but those that are times or processes."""
    passing = {"train_seconds", "process", "system"}
    return {
        run.data.tags["config_key"]: {name: v for name, v in run.data.metrics.items() if name not in passing}
        for run in runs
    }


class DaskCluster:
    """A scheduler and workers, each a process that a test may kill."""

    def __init__(self, directory):
        self.directory, self.processes = directory, []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", self.port)

    def _start(self, *words, **environment):
        argv = [Path(sys.executable).parent / "dask", *map(str, words), "--no-dashboard"]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **environment}
        with (self.directory / "log").open("a") as log:
            process = subprocess.Popen(
                argv, env=env, cwd=self.directory, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def worker(self, **environment):
        return self._start("worker", self.uri, "--nthreads", 1, "--no-nanny", **environment)

    def close(self):
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def cluster(directory, workers=0):
    directory.mkdir(exist_ok=True)
    one = DaskCluster(directory)
    try:
        for _ in range(workers):
            one.worker()
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A cluster of two workers."""
    with cluster(tmp_path_factory.mktemp("cluster"), 2) as one:
        yield one


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "a cluster"])
def test_numbers_and_pictures_are_those_of_one_process_and_are_made_by_the_workers(
    kind, small, run_here, logged, plain, two
):
    sweep = small(f"apart in {kind}", base=BASE, seeds=8, hooks=[Where()])
    with opened("2" if kind == "processes" else two.uri) as workers:
        outcome = run_here(sweep, executor=workers, batch=4)
    run_here(sweep.replace(name=f"here, not in {kind}"))
    assert (outcome.status, outcome.done) == ("FINISHED", 16)
    apart, together = (logged(name)[1] for name in (sweep.name, f"here, not in {kind}"))
    assert len({int(run.data.metrics["process"]) for run in apart} - {os.getpid()}) == 2
    assert figures_of(apart) == figures_of(together)
    assert len(apart) == 16
    pictures = [
        {one.path.split("%")[0] for one in plain.list_artifacts(run.info.run_id)} for run in (apart[0], together[0])
    ]
    assert pictures[0] == pictures[1] >= {"boundary.png", "cost.png", "network.npz", "images"}
    (said,) = {run.data.tags["mlflow.source.name"] for run in [*apart, *together]}  # the driver's, not the workers'
    assert said == together[0].data.tags["mlflow.source.name"]


@pytest.mark.slow
def test_the_command(two, call, tmp_path, plain_of):
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 2, "--epochs", 50, "--name", "there")
    code, output, errors = call(*words, "--workers", two.uri, cwd=tmp_path)
    assert (code, "Traceback" in errors) == (0, False)
    assert "next: sandbox ui" in output
    assert len(plain_of(tmp_path, "there")) == 5
    code, output, errors = call(*words, cwd=tmp_path, SANDBOX_WORKERS="2")
    assert code == 0
    assert "nothing left to do" in output
    arms = ("--arm", "raw: hidden=none", "--arm", "deep: hidden=4")
    words = (
        "compare",
        "--dataset",
        "circle",
        "--n",
        16,
        "--trials",
        1,
        "--seeds",
        2,
        "--epochs",
        30,
        "--repetitions",
        2,
    )
    code, output, errors = call(*words, *arms, "--workers", 2, cwd=tmp_path)
    assert (code, "Traceback" in errors) == (0, False), errors


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_lot_a_second_try(small, run_here, logged, tmp_path, store, root):
    sweep = small("a death", base=BASE, seeds=8, hooks=[Deadly(3, str(tmp_path / "died"))])
    with opened("2") as workers:
        outcome = run_here(sweep, executor=workers, batch=2)
    assert (tmp_path / "died").exists()
    assert (outcome.status, outcome.done) == ("FINISHED", 16)
    assert len(logged("a death")[1]) == 16
    assert [one for one in examine(store, root).findings if one.campaign == sweep.id] == []


@pytest.mark.slow
def test_workers_that_died_before_they_had_anything_to_do_are_replaced(small, run_here, logged):
    sweep = small("dead before", base=BASE, seeds=3)
    with opened("1") as workers:
        assert workers is not None
        os.kill(workers.submit(os.getpid).result(60), signal.SIGKILL)
        deadline = time.monotonic() + 60
        with suppress(BrokenExecutor):
            while True:  # until the executor knows
                workers.submit(os.getpid)
                assert time.monotonic() < deadline
                time.sleep(0.05)
        outcome = run_here(sweep, executor=workers)
    assert (outcome.status, outcome.done, len(logged("dead before")[1])) == ("FINISHED", 6, 6)


@pytest.mark.slow
def test_a_lot_that_is_the_death_of_every_worker_is_named_and_the_others_are_kept(small, run_here, logged):
    sweep = small("deaths", base=BASE, seeds=4, hooks=[Deadly(3)])
    with opened("1") as workers, pytest.raises(WorkersError) as caught:
        run_here(sweep, executor=workers, batch=2)
    assert str(caught.value) == (
        "a worker died 3 times while it had the runs 'rate 0.1 seed 3' and 1 more: too little memory, perhaps"
    )
    outcome = run_here(sweep.replace(hooks=[]))
    assert (outcome.status, outcome.done, outcome.before) == ("FINISHED", 8, 6)
    assert len(logged("deaths")[1]) == 8


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_goes_on(tmp_path, small, run_here, logged, store, root):
    sweep = small("a loss", base=BASE, seeds=12, hooks=[Slow()])
    with (
        cluster(tmp_path / "cluster", 2) as one,
        opened(one.uri) as workers,
        killed_once(lambda: logged("a loss")[1], one.processes[1].pid),
    ):
        outcome = run_here(sweep, executor=workers, batch=1)
    assert one.processes[1].returncode == -signal.SIGKILL
    assert (outcome.status, outcome.done) == ("FINISHED", 24)
    assert len(logged("a loss")[1]) == 24
    assert [one for one in examine(store, root).findings if one.campaign == sweep.id] == []


@pytest.mark.slow
def test_a_cluster_that_loses_its_scheduler_keeps_what_has_ended(tmp_path, small, run_here, logged):
    sweep = small("headless", base=BASE, seeds=12, hooks=[Slow()])
    with (
        cluster(tmp_path / "cluster", 2) as one,
        opened(one.uri) as workers,
        killed_once(lambda: logged("headless")[1], one.scheduler.pid),
        pytest.raises(WorkersError) as caught,
    ):
        run_here(sweep, executor=workers, batch=1)
    assert "scheduler" in str(caught.value)
    assert str(caught.value).endswith("what has ended is kept, and the same command goes on from there")
    outcome = run_here(sweep.replace(hooks=[]))
    assert (outcome.status, outcome.done) == ("FINISHED", 24)
    assert 1 <= outcome.before < 24
    assert len(logged("headless")[1]) == 24


@contextmanager
def killed_once(ready, pid):
    """Kill a process as soon as something is there."""

    def wait():
        while not ready():
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield
    thread.join(30)


def test_data_travel_apart_from_the_jobs():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(5000, 20)), columns=[f"x{number}" for number in range(20)])
    data = Dataset.from_frame(frame.assign(large=frame.x0 > 0), target="large")
    config = Config(dataset=data, hidden=(2,), epochs=1)
    jobs = [Job(config.replace(seed=seed), f"seed {seed}") for seed in range(10)]
    assert len(_light(jobs)) < 20_000 < data.X.nbytes
    assert len(pickle.dumps(jobs)) > data.X.nbytes
    assert [job.config for job in _unpacked(_light(jobs))] == [job.config for job in jobs]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["processes", "a cluster"])
def test_data_of_ones_own_reach_every_worker(kind, two, tmp_path, store):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=["x", "y", "z"])
    data = Dataset.from_frame(frame.assign(mine=frame.x + frame.y > 0), target="mine")
    rates = {"learning_rate": choice(0.1, 1.0)}
    sweep = Sweep(f"own data in {kind}", Config(dataset=data, hidden=(2,), epochs=50), rates, seeds=6)
    with opened("2" if kind == "processes" else two.uri) as workers:
        outcome = run_sweep(sweep, store, tmp_path, executor=workers, batch=2, quiet=True, writers=1)
    assert (outcome.status, outcome.done) == ("FINISHED", 12)


# What cannot work, in one line -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0", "-1", "eight", "1000", "2.5", "localhost:8786", "http://here", "tcp://", ""])
def test_what_cannot_be_workers_is_refused_before_anything_is_made(text, here, tmp_path):
    code, output, errors = here("sweep", "--vary", "learning_rate=0.1,1", "--workers", text)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("error: workers is ")
    assert not (tmp_path / "runs").exists()


def line_of(call, tmp_path, uri, **environment):
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--epochs", 20, "--workers", uri)
    code, output, errors = call(*words, cwd=tmp_path, **environment)
    assert (code, output, errors.count("\n")) == (1, "", 1), errors
    assert not (tmp_path / "runs" / "mlflow.db").exists()
    return errors


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_or_is_something_else(call, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        assert line_of(call, tmp_path, nobody).startswith(f"error: no Dask scheduler answers at {nobody} (")
        free.listen()  # and never answers
        assert line_of(call, tmp_path, nobody).startswith(f"error: no Dask scheduler answers at {nobody} (")


@pytest.mark.slow
def test_a_cluster_without_workers_and_workers_with_other_code_or_none(call, tmp_path):
    with cluster(tmp_path / "cluster") as one:
        assert line_of(call, tmp_path, one.uri) == (
            f"error: no worker is at {one.uri}: dask worker {one.uri} --nthreads 1, on each machine\n"
        )
        other = tmp_path / "other"
        shutil.copytree(ROOT / "sandbox", other / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
        changed = other / "sandbox" / "errors.py"
        changed.write_text(f"{changed.read_text()}# another version\n")
        worker = one.worker(PYTHONPATH=str(other))
        text = line_of(call, tmp_path, one.uri)
        assert text.startswith("error: worker tcp://127.0.0.1:")
        assert text.endswith(f", and here is {about()}: install the same there\n")
        os.killpg(worker.pid, signal.SIGKILL)
        (without := tmp_path / "without").mkdir()
        (without / "sandbox.py").write_text("raise ModuleNotFoundError('No module named sandbox')")
        one.worker(PYTHONPATH=str(without))
        assert "has no training-sandbox of this kind (No module named sandbox), and here is" in line_of(
            call, tmp_path, one.uri
        )


def test_a_pruner_cannot_watch_apart_and_says_so_before_anything_is_trained(here, tmp_path):
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--workers", 2, "--pruner", "median")
    code, output, errors = here(*words)
    assert (code, output) == (2, "")
    assert errors == ("error: pruner 'median' watches runs in this process: leave out the pruner, or the workers\n")
    assert not (tmp_path / "runs").exists()


def test_a_python_that_has_no_dask_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RequestError, match=r'pip install "training-sandbox\[cluster\]"'), opened("tcp://127.0.0.1:1"):
        pass


def test_processes_are_gone_when_they_are_no_longer_wanted():
    workers = Processes(1)
    pid = workers.submit(os.getpid).result(30)
    workers.close()
    deadline = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.slow
def test_a_cluster_that_is_full_of_the_work_of_others_is_said_and_waited_for(small, store, two, tmp_path, capsys):
    from distributed import Client

    with Client(two.uri) as other:
        other.wait_for_workers(2)
        tasks = other.map(time.sleep, [15 + number / 100 for number in range(4)])  # numbers: no two are one task
        with opened(two.uri) as workers:
            outcome = run_sweep(small("a full queue"), store, tmp_path, executor=workers, writers=1)
        other.gather(tasks)
    assert (outcome.status, outcome.done) == ("FINISHED", 4)
    assert f"the 2 workers at {two.uri} have " in capsys.readouterr().err
