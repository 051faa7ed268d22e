"""compose.yaml, piece by piece and without Docker: each service's own command, here, against Debian's PostgreSQL."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from tests.test_sharing import assert_once, runs_of, until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
COMPOSED = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSED["services"]
PASSWORD = "secret"  # of tests' PostgreSQL


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class House:
    """The services as processes of this machine: names of hosts become ports of 127.0.0.1."""

    def __init__(self, database, directory):
        self.directory, self.processes, self.programs = directory, [], database.programs
        ports = {name: free_port() for name in ("mlflow", "scheduler")}
        self.uri = f"http://127.0.0.1:{ports['mlflow']}"
        self.places = {
            "postgres:5432": f"127.0.0.1:{database.port}",
            "mlflow:5000": f"127.0.0.1:{ports['mlflow']}",
            "127.0.0.1:5000": f"127.0.0.1:{ports['mlflow']}",
            "scheduler:8786": f"127.0.0.1:{ports['scheduler']}",
            "0.0.0.0": "127.0.0.1",
            "/artifacts": f"{directory}/artifacts",
            "5000": str(ports["mlflow"]),
            "8786": str(ports["scheduler"]),
            "5432": str(database.port),
        }

    def here(self, text):
        """What a service is told, with its variables and its hosts as they are here."""
        text = re.sub(r"\$\{PASSWORD:-[^}]*\}", PASSWORD, text)
        if text == "postgres":
            return "127.0.0.1"
        names = "|".join(map(re.escape, sorted(self.places, key=len, reverse=True)))
        return re.sub(names, lambda found: self.places[found[0]], text)

    def start(self, name, number=0):
        service = SERVICES[name]
        place = self.directory / f"{name}{number}"
        place.mkdir()
        given = {key: self.here(value) for key, value in service.get("environment", {}).items()}
        program, *words = map(self.here, service["command"])
        with (place / "log").open("w") as log:
            self.processes.append(
                subprocess.Popen(
                    [Path(sys.executable).parent / program, *words],
                    cwd=place,
                    env={**os.environ, **given},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return self.processes[-1]

    def is_healthy(self, name):
        kind, program, *words = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        path = {"python": sys.executable, "pg_isready": self.programs / "pg_isready"}[program]
        return subprocess.run([path, *map(self.here, words)], capture_output=True).returncode == 0

    def log(self, name):
        return (self.directory / f"{name}0" / "log").read_text()

    def close(self):
        for one in reversed(self.processes):
            if one.poll() is None:
                os.killpg(one.pid, 9)
            one.wait()


@pytest.fixture
def house(database, tmp_path):
    one = House(database, tmp_path)
    yield one
    one.close()


def test_every_service_works_and_two_hosts_share_the_sweep(house, database):
    until(lambda: house.is_healthy("postgres"))
    database.create(SERVICES["postgres"]["environment"]["POSTGRES_DB"])
    psql = [database.programs / "psql", database.uri, "--set", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, "-c", COMPOSED["configs"]["studies"]["content"]], check=True, capture_output=True)
    house.start("mlflow")
    until(lambda: house.is_healthy("mlflow"), 120)
    house.start("scheduler")
    for number in range(2):  # of four: this machine has two cores
        house.start("worker", number)
    hosts = [house.start(name) for name in ("host-1", "host-2")]
    for host in hosts:
        host.wait(300)
    assert [host.returncode for host in hosts] == [0, 0], house.log("host-1") + house.log("host-2")
    assert_once(house.uri, "shared", 20)
    client = MlflowClient(house.uri)
    runs = [run for found in runs_of(house.uri, "shared") for run in found]
    assert len({run.data.tags["host"] for run in runs}) == 2
    (trained,) = client.search_runs([runs[0].info.experiment_id], "tags.config_key LIKE '%'", max_results=1)
    assert str(trained.info.artifact_uri).startswith("mlflow-artifacts:/")  # by way of the server
    assert "boundary.png" in {one.path for one in client.list_artifacts(trained.info.run_id)}
    told = "".join(house.log(name) for name in ("host-1", "host-2", "worker", "scheduler", "mlflow"))
    assert PASSWORD not in told + "".join(map(str, runs))


def test_what_its_image_is_made_of_is_there():
    lines = SERVICES["mlflow"]["build"]["dockerfile_inline"].splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert all((ROOT / word).exists() for word in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (extras,) = re.findall(r"/code\[(.*)\]", "\n".join(lines))
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    assert {project["project"]["readme"], "pyproject.toml", "sandbox", "experiments"} <= {*copied}
    image, version = lines[0].split()[1].split(":")
    assert image == "python"
    assert version.split("-")[0] >= project["project"]["requires-python"][2:]
