"""Do hosts that share a sweep log every run exactly once, whatever happens to them?

    .venv/bin/python -m studies.chaos.hosts --rounds 20        as root, on Linux

Three hosts, each a network namespace with a disk of its own: on the first a driver, Dask's scheduler and two workers, on
the second another driver and two workers, on the third PostgreSQL and MLflow's tracking server. In each round both drivers
run the same sweep, and meanwhile, at random moments, a worker is killed, a driver is killed, the network of the second host
is cut for half a minute, and the server is killed and started again. Then the command of whoever was killed is run once
more, and every run is looked at: each config once, FINISHED, below one parent, with the numbers of one process to the last
bit; and the doctor must be silent on both hosts. Exits with 1 if anything is otherwise.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from sandbox import Config, train_many
from sandbox.sweeps import Sweep, choice
from studies.postgresql import Database

HERE = Path(__file__).parent.parent.parent
RATES = (0.1, 0.3, 1.0, 3.0)
BASE = {"dataset": "moons", "n_examples": 40, "hidden": (4,), "epochs": 400}
FAULTS = ("a worker killed", "a driver killed", "the network cut", "the server killed")
CUT = 30.0  # seconds
PARENT = "mlflow.parentRunId"
BUSY = 900.0  # seconds after which a round is given up


def run(*words: object) -> None:
    """A command that must work."""
    subprocess.run([*map(str, words)], check=True, capture_output=True)


class Host:
    """A network namespace with an address, and a directory for its disk."""

    def __init__(self, network: "Network", number: int, directory: Path) -> None:
        self.network, self.address = network, f"10.77.0.{number}"
        self.name, self.link = f"{network.name}-{number}", f"h{number}"
        self.directory = directory / self.name
        self.directory.mkdir()
        self.processes: list[subprocess.Popen] = []
        run("ip", "netns", "add", self.name)
        run(
            "ip",
            "link",
            "add",
            self.link,
            "netns",
            network.switch,
            "type",
            "veth",
            "peer",
            "name",
            "up0",
            "netns",
            self.name,
        )
        run("ip", "-n", network.switch, "link", "set", self.link, "master", "bridge", "up")
        run("ip", "-n", self.name, "address", "add", f"{self.address}/24", "dev", "up0")
        for link in ("lo", "up0"):
            run("ip", "-n", self.name, "link", "set", link, "up")

    @property
    def within(self) -> list[str]:
        """What starts a program there."""
        return ["ip", "netns", "exec", self.name]

    def start(self, *words: object, log: str, **environment: str) -> subprocess.Popen:
        """A process of it, with the programs of this environment."""
        given = {**os.environ, "PYTHONPATH": str(HERE), "OPENBLAS_NUM_THREADS": "1", **environment}
        argv = [*self.within, *map(str, words)]
        with (self.directory / log).open("a") as file:
            one = subprocess.Popen(
                argv, cwd=self.directory, env=given, stdout=file, stderr=file, start_new_session=True
            )
        self.processes.append(one)
        return one

    def cut(self, yes: bool) -> None:
        """Cut it off from the others, or not any more."""
        run("ip", "-n", self.network.switch, "link", "set", self.link, "down" if yes else "up")

    def close(self) -> None:
        for one in self.processes:
            kill(one)
        with suppress(subprocess.CalledProcessError):
            run("ip", "netns", "delete", self.name)


class Network:
    """Hosts at one switch, apart from all else on this machine."""

    def __init__(self, directory: Path) -> None:
        self.name = f"sandbox{os.getpid()}"
        self.switch, self.directory = f"{self.name}-switch", directory
        run("ip", "netns", "add", self.switch)
        run("ip", "-n", self.switch, "link", "add", "bridge", "type", "bridge")
        run("ip", "-n", self.switch, "link", "set", "bridge", "up")
        self.hosts: list[Host] = []

    def host(self) -> Host:
        self.hosts.append(Host(self, len(self.hosts) + 1, self.directory))
        return self.hosts[-1]

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        run("ip", "netns", "delete", self.switch)


def kill(process: subprocess.Popen) -> None:
    """End a process and all that it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Site:
    """The three hosts with all that serves on them; `uri` is MLflow's, `study` that of the database that they share."""

    def __init__(self, directory: Path) -> None:
        self.network = Network(directory)
        self.first, self.second, self.third = (self.network.host() for _ in range(3))
        place = self.third.directory / "postgresql"
        place.mkdir()
        for one in (directory, self.third.directory, place):
            one.chmod(0o755)
        self.database = Database(place, self.third.address, self.third.within)
        self.study, self.mlflow = self.database.create("studies"), self.database.create("mlflow")
        self.uri = f"http://{self.third.address}:5000"
        self.serve()
        self.scheduler = f"tcp://{self.first.address}:8786"
        bin = Path(sys.executable).parent
        self.dask, self.sandbox = bin / "dask", bin / "sandbox"
        scheduling = (self.dask, "scheduler", "--host", self.first.address, "--port", 8786, "--no-dashboard")
        self.first.start(*scheduling, log="scheduler.log")
        self.workers = [self.worker(host) for host in (self.first, self.first, self.second, self.second)]

    def serve(self) -> None:
        """Start the tracking server, and wait for it."""
        words = (sys.executable, "-m", "mlflow", "server", "--host", self.third.address, "--port", 5000, "--workers", 2)
        words += ("--backend-store-uri", self.mlflow, "--artifacts-destination", self.third.directory / "artifacts")
        self.server = self.third.start(*words, "--allowed-hosts", f"{self.third.address}:5000", log="server.log")
        ask = f"import urllib.request; urllib.request.urlopen('{self.uri}/health', timeout=2)"
        deadline = time.monotonic() + 120
        while subprocess.run([*self.third.within, sys.executable, "-c", ask], capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError((self.third.directory / "server.log").read_text()[-2000:])
            time.sleep(0.5)

    def worker(self, host: Host) -> subprocess.Popen:
        words = (
            self.dask,
            "worker",
            self.scheduler,
            "--nthreads",
            1,
            "--no-dashboard",
            "--no-nanny",
            "--host",
            host.address,
        )
        return host.start(*words, log="worker.log")

    def drive(self, host: Host, name: str, seeds: int) -> subprocess.Popen:
        """A driver of the sweep called `name`."""
        fields = [word for key, value in BASE.items() for word in (f"--{key.replace('_', '-')}", _text(value))]
        rates = ",".join(map(str, RATES))
        words = ("sweep", "--name", name, "--vary", f"learning_rate={rates}", "--seeds", seeds, *fields)
        where = ("--tracking-uri", self.uri, "--study-uri", self.study, "--workers", self.scheduler, "--as", "anna")
        return host.start(self.sandbox, *words, *where, "--batch", 5, log=f"{name}.log")

    def doctor(self, host: Host) -> str:
        """What the doctor says there, "" where nothing disagrees."""
        words = [*host.within, str(self.sandbox), "doctor", "--tracking-uri", self.uri]
        told = subprocess.run(
            words, cwd=host.directory, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(HERE)}
        )
        return "" if told.returncode == 0 else f"{told.stdout}{told.stderr}"

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.database.stop()
        self.network.close()


@contextmanager
def site() -> Iterator[Site]:
    """The three hosts, gone afterwards."""
    with TemporaryDirectory(prefix="sandbox-hosts-", ignore_cleanup_errors=True) as directory:
        one = Site(Path(directory))
        try:
            yield one
        finally:
            one.close()


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def torment(
    one: Site, name: str, seeds: int, chance: random.Random, faults: Sequence[str] = FAULTS
) -> tuple[list[str], list[str]]:
    """A round: two drivers, faults, and the end; (what happened, what is wrong)."""
    drivers = {host.name: (host, one.drive(host, name, seeds)) for host in (one.first, one.second)}
    happened, total = [], len(RATES) * seeds
    for fault in chance.sample([*faults], len(faults)):
        wanted = len(happened) / (len(faults) + 1) * total
        deadline = time.monotonic() + 60
        while count(one, name) < wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(chance.uniform(0, 4))
        happened.append(f"{fault} at {count(one, name)}")
        if fault == "a worker killed":
            number = chance.randrange(len(one.workers))
            kill(one.workers[number])
            one.workers[number] = one.worker((one.first, one.first, one.second, one.second)[number])
        elif fault == "a driver killed":
            kill(chance.choice([process for _, process in drivers.values()]))
        elif fault == "the network cut":
            one.second.cut(True)
            time.sleep(CUT)
            one.second.cut(False)
        else:
            kill(one.server)
            time.sleep(chance.uniform(0, 5))
            one.serve()
    deadline = time.monotonic() + BUSY
    for host, process in drivers.values():
        while process.poll() != 0:  # the same command goes on from wherever it was
            if process.poll() is not None:
                process = one.drive(host, name, seeds)
            if time.monotonic() > deadline:
                kill(process)
                said = (host.directory / f"{name}.log").read_text()[-1500:]
                return happened, [f"{host.name} does not come to an end: {said}"]
            time.sleep(0.5)
    return happened, []


def ask(one: Site, name: str) -> list[Any]:
    """All runs of an experiment, by MLflow's own client, from within the third host."""
    words = [*one.third.within, sys.executable, "-m", "studies.chaos.hosts", "--look", one.uri, name]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout or "[]")


def count(one: Site, name: str) -> int:
    """How many runs are FINISHED, as the database says; 0 where nobody answers."""
    asked = (
        "SELECT count(*) FROM runs JOIN experiments USING (experiment_id) WHERE runs.status = 'FINISHED' "
        f"AND experiments.name = '{name}'"
    )
    words = [*one.third.within, str(one.database.programs / "psql"), one.mlflow, "-t", "-A", "-c", asked]
    told = subprocess.run(words, capture_output=True, text=True)
    return int(told.stdout.strip() or 0) if told.returncode == 0 else 0


def wrong_with(one: Site, name: str, seeds: int) -> list[str]:
    """What is not as one process would have left it."""
    runs = ask(one, name)
    parents = [run for run in runs if PARENT not in run["tags"]]
    children = [run for run in runs if PARENT in run["tags"]]
    sweep = Sweep(name, Config(**BASE), {"learning_rate": choice(*RATES)}, seeds=seeds)
    configs = [trial.config for trial in sweep.plan]
    expected = {config.key: result for config, result in zip(configs, train_many(configs), strict=True)}
    wrong = []
    if [run["status"] for run in parents] != ["FINISHED"]:
        wrong.append(f"parents: {[run['status'] for run in parents]}")
    finished = [run for run in children if run["status"] == "FINISHED"]
    others = Counter(run["status"] for run in children if run["status"] not in ("FINISHED", "KILLED"))
    if others:
        wrong.append(f"runs are {dict(others)}")
    keys = Counter(run["tags"]["config_key"] for run in finished)
    if doubled := [key for key, number in keys.items() if number > 1]:
        wrong.append(f"{len(doubled)} runs are there more than once")
    if lost := expected.keys() - keys.keys():
        wrong.append(f"{len(lost)} runs are lost")
    if strange := keys.keys() - expected.keys():
        wrong.append(f"{len(strange)} runs are not the sweep's")
    if parents and any(run["tags"][PARENT] != parents[0]["id"] for run in finished):
        wrong.append("runs are below another parent")
    for run in finished:
        result = expected.get(run["tags"]["config_key"])
        if result and run["metrics"].get("final_cost") != result.cost:
            wrong.append(f"{run['name']} has cost {run['metrics'].get('final_cost')}, and one process {result.cost}")
        if run["pictures"] < 6:
            wrong.append(f"{run['name']} has {run['pictures']} pictures")
    wrong += [f"the doctor on {host.name}: {said}" for host in (one.first, one.second) if (said := one.doctor(host))]
    return wrong


def look(uri: str, name: str) -> None:
    """Print the runs of an experiment as JSON."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], max_results=10_000) if experiment else []
    told = [
        {
            "id": run.info.run_id,
            "name": run.info.run_name,
            "status": run.info.status,
            "tags": {key: value for key, value in run.data.tags.items() if key in (PARENT, "config_key", "host")},
            "metrics": run.data.metrics,
            "pictures": len(client.list_artifacts(run.info.run_id, "images")),
        }
        for run in runs
    ]
    click.echo(json.dumps(told))


@click.command()
@click.option("--rounds", default=20, show_default=True)
@click.option("--seeds", default=100, show_default=True, help="Of four learning rates each.")
@click.option("--seed", default=0, show_default=True, help="Of the faults.")
@click.option("--look", "asked", nargs=2, hidden=True)
def main(rounds: int, seeds: int, seed: int, asked: tuple[str, str] | None) -> None:
    """Torment hosts that share sweeps, look at every run, and print one JSON object."""
    if asked:
        look(*asked)
        return
    wrong, chance = [], random.Random(seed)
    with site() as one:
        for number in range(rounds):
            name, begun = f"round {number + 1}", time.monotonic()
            happened, endless = torment(one, name, seeds, chance)
            found = endless + wrong_with(one, name, seeds)
            wrong += [f"{name}: {what}" for what in found]
            said = f"{name}: {'; '.join(happened)}; {time.monotonic() - begun:.0f} s; {'; '.join(found) or 'nothing wrong'}"
            click.echo(said, err=True)
    click.echo(json.dumps({"rounds": rounds, "runs": rounds * seeds * len(RATES), "wrong": wrong}, indent=1))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
