"""A PostgreSQL of one's own, for tests and studies: on a free port, in a directory that goes with it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = Path("/usr/lib/postgresql")  # of Debian's package postgresql, by version


class Database:
    """A PostgreSQL in a directory, at `uri`, which can be stopped and started.

    `address` is where it listens, and `within` the words that start a program where that address is.
    """

    def __init__(self, directory: Path, address: str = "127.0.0.1", within: Sequence[str] = ()) -> None:
        self.address, self.within = address, list(within)
        (self.programs,) = sorted(PROGRAMS.glob("*/bin"))[-1:]
        self.directory = directory
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.uri = f"postgresql://sandbox:secret@{address}:{self.port}/postgres"
        (directory / "password").write_text("secret")
        if os.geteuid() == 0:  # PostgreSQL will not be run by root
            for path in (directory, directory / "password"):
                shutil.chown(path, "postgres")
        words = ["--username=sandbox", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
        self._run("initdb", *words, f"--pwfile={directory}/password", f"--pgdata={directory}/data")
        with (directory / "data" / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {address}/24 scram-sha-256\n")
        self.start()

    def create(self, name: str) -> str:
        """Make another database beside it; its address."""
        words = ["-h", self.address, "-p", str(self.port), "-U", "sandbox", name]
        environment = {**os.environ, "PGPASSWORD": "secret"}
        subprocess.run([*self.within, self.programs / "createdb", *words], check=True, env=environment)
        return self.uri.removesuffix("postgres") + name

    def _run(self, program: str, *words: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        argv = [*self.within, *user, self.programs / program, *words]
        subprocess.run(argv, check=True, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={self.address} -c unix_socket_directories={self.directory}"
        words = ["-D", f"{self.directory}/data", "-l", f"{self.directory}/log", "-o", options]
        self._run("pg_ctl", *words, "--wait", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self.directory}/data", "--mode=immediate", "--wait", "stop")

    @property
    def process(self) -> int:
        """The number of its first process, whose children the others are."""
        return int((self.directory / "data" / "postmaster.pid").read_text().split()[0])


def is_installed() -> bool:
    """Whether there is a PostgreSQL to start."""
    return any(PROGRAMS.glob("*/bin/initdb"))


@contextmanager
def passing() -> Iterator[Database]:
    """A database that is gone afterwards."""
    with TemporaryDirectory(prefix="sandbox-postgresql-", ignore_cleanup_errors=True) as directory:
        database = Database(Path(directory))
        try:
            yield database
        finally:
            with suppress(subprocess.CalledProcessError):  # somebody has stopped it
                database.stop()
