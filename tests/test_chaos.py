"""Campaigns that are killed, interrupted, started twice, eight at once, and on a full disk."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox import Config
from sandbox.cli import main
from sandbox.doctor import examine
from sandbox.sweeps import Range, Sweep, run_sweep
from sandbox.sweeps.study import ended_trials, known_study
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from studies.chaos.faults import faults
from studies.chaos.torment import FAULTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
RATES = {"learning_rate": Range(0.1, 10.0)}
EIGHT = """
import os, sys
from pathlib import Path
from sandbox.sweeps import run_sweep
from sandbox.tracking import Store
from tests.test_chaos import one_of_eight

children = []
for number in range(8):
    children.append(os.fork())
    if children[-1] == 0:
        outcome = run_sweep(one_of_eight(number), Store(sys.argv[1]), Path("runs"), batch=2, writers=1)
        os._exit(outcome.status != "FINISHED")
print(json.dumps([os.waitpid(child, 0)[1] for child in children]))
"""


def one_of_eight(number):
    base = Config(hidden=(2,), epochs=60)
    return Sweep(f"chaos {number}", base, RATES, sampler="random", trials=6, seeds=1, sampler_seed=number)


def typed(name, trials, epochs):
    """The sweep of the commands below."""
    return Sweep(name, Config(epochs=epochs), RATES, sampler="sobol", trials=trials, seeds=1)


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the writers' processes in /proc")
def test_whatever_happens_nothing_is_lost_or_doubled_and_the_doctor_sees_and_mends_it():
    """`python -m studies.chaos --rounds 30` is the long form; CHAOS_ROUNDS makes this one as long."""
    rounds, seed = os.environ.get("CHAOS_ROUNDS", "9"), os.environ.get("CHAOS_SEED", "1")
    words = [sys.executable, "-m", "studies.chaos", "--rounds", rounds, "--seed", seed]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    assert sum(report["done"].values()) == int(rounds)
    assert {name.partition(", ")[0] for name in report["done"]} == {"sweep", "comparison"}
    assert {name.partition(", ")[2] for name in report["done"]} == set(FAULTS)


def test_eight_sweeps_at_once_on_one_sqlite_store(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    script = "import json\n" + EIGHT
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", script, uri]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=180)
    assert json.loads(done.stdout) == [0] * 8, done.stderr
    for word in ("locked", "AWAY", "Error", "rror:", "Traceback"):
        assert word not in done.stderr
    store = Store(uri)
    sweeps = [one_of_eight(number) for number in range(8)]
    assert [fault for sweep in sweeps for fault in faults(sweep, store, tmp_path / "runs")] == []
    assert examine(store, tmp_path / "runs").findings == []


class Started:
    """`sandbox sweep` in a process of its own."""

    def __init__(self, start, directory, uri, *words):
        self.directory = directory
        words = ("sweep", "--vary", "learning_rate=0.1..10", "--seeds", 1, *words)
        self.process = start(*words, "--tracking-uri", uri, cwd=directory)

    def until(self, ready):
        deadline = time.monotonic() + 60
        while not ready():
            assert self.process.poll() is None, self.errors()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return self

    def errors(self):
        return (self.directory / ".stderr").read_text()

    def under_way(self):
        """Trials are trained by now, so that the signals are heard."""
        journal = self.directory / "runs" / "optuna.journal"
        return journal.exists() and journal.read_text().count("config_key") >= 2

    def end(self):
        with self.process as process:
            output, _ = process.communicate(timeout=60)
        return process.returncode, output, self.errors()


def test_a_torn_file_in_the_spool_is_set_aside_and_the_sweep_is_none_the_worse(small, store, tmp_path):
    spool = Spool(store.uri, tmp_path).open()
    (spool.directory / "00000000000000000001-1-torn.run").write_bytes(b"PK half a zip")
    outcome = run_sweep(small("beside a torn file"), store, tmp_path, quiet=True)
    assert (outcome.status, outcome.done) == ("FINISHED", 4)
    (finding,) = examine(store, tmp_path).findings
    assert "torn.run was set aside" in finding.what


LONG = ("--trials", 60, "--batch", 4, "--epochs", 3000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_finishes_the_batch_and_the_second_stops_at_once(number, start, store, tmp_path):
    sweep = Started(start, tmp_path, store.uri, "--name", f"signal {number}", *LONG)
    sweep.until(sweep.under_way).process.send_signal(number)
    second = number == signal.SIGHUP
    if second:
        sweep.until(lambda: "again to stop at once" in sweep.errors() or sweep.process.poll() is not None)
        sweep.process.send_signal(number)
    code, output, errors = sweep.end()
    assert code == 1
    assert "Traceback" not in output + errors
    assert "again to stop at once" in errors
    if not second:
        assert "interrupted: everything done so far is logged; the same command goes on from here" in errors

    root = tmp_path / "runs"
    whole = typed(f"signal {number}", 60, 3000)
    study = known_study(whole.id, whole.goal.words, root)
    assert study is not None
    ended = len(ended_trials(study))
    assert 2 <= ended < 60
    small = whole.replace(trials=ended + 1)  # enough to see that it goes on
    outcome = run_sweep(small, store, root, quiet=True)
    assert (outcome.status, outcome.done) == ("FINISHED", ended + 1)
    assert outcome.before >= ended  # one may have been spooled and not told
    assert [one.what for one in examine(store, root).findings] == []


def test_the_same_sweep_is_refused_while_it_runs(start, store, tmp_path, monkeypatch, capsys):
    words = ("--name", "twice", *LONG)
    first = Started(start, tmp_path, store.uri, *words)
    first.until(first.under_way)
    monkeypatch.chdir(tmp_path)
    line = ["sandbox", "sweep", "--vary", "learning_rate=0.1..10", "--seeds", 1, *words, "--tracking-uri", store.uri]
    monkeypatch.setattr("sys.argv", [str(word) for word in line])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1
    assert "is under way in another process" in errors
    first.process.send_signal(signal.SIGINT)
    assert first.end()[0] == 1


@pytest.fixture
def small_disk(tmp_path, required):
    """`runs`, a link to a file system of 24 MB: what the commands say is written elsewhere."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount")
    required(root, "only root may mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    required(mounted.returncode == 0, f"no tmpfs here: {mounted.stderr.decode().strip()}")
    (tmp_path / "runs").symlink_to(disk)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_one_line_and_with_room_made_the_sweep_goes_on(small_disk, call):
    words = ["sweep", "--vary", "learning_rate=0.1..10", "--trials", 20, "--seeds", 1, "--epochs", 60, "--json"]
    root = small_disk.parent / "runs"
    store = Store(None, root)
    store.check()
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage(small_disk).free - 600_000))
    code, output, errors = call(*words, cwd=root.parent)
    assert (code, output) == (1, "")
    assert errors == "error: no room left on the disk of runs: make room, and the same command goes on from here\n"
    filler.unlink()
    code, output, errors = call(*words, cwd=root.parent)
    assert (code, errors) == (0, "")
    (row,) = json.loads(output)["sweeps"]
    assert row["runs"] == 20
    assert examine(store, root).findings == []
    assert faults(typed("sweep", 20, 60), store, root) == []
