"""Claims: which host has which runs of a campaign in hand, in a PostgreSQL that hosts share, beside Optuna's tables.

Several drivers may run one campaign, on machines with a disk each: a host trains what it has claimed. A claim is held as
long as its host is heard of (its lease, by the database's clock), and for good once the run is in MLflow. Whoever comes
after a host that is gone takes its claims over, and it, should it come back, finds that it holds them no longer: its
writers ask before they log (sandbox.tracking.writer).
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from sandbox.errors import RequestError, one_line
from sandbox.tracking.address import WITHOUT_DRIVER, hide, shown
from sandbox.tracking.postgresql import KEEPALIVE, alone, number_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
VARIABLE = "SANDBOX_STUDY_URI"
LEASE = 30.0  # seconds that a host is believed to live after it was last heard of
BEAT = 5.0  # and between two words of it
PATIENCE = 120.0  # seconds that a database which is away is waited for
TABLES = """
CREATE TABLE IF NOT EXISTS sandbox_campaigns (campaign text PRIMARY KEY, ending int NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS sandbox_hosts (campaign text, host text, process text NOT NULL, expires timestamptz NOT NULL,
  PRIMARY KEY (campaign, host));
CREATE TABLE IF NOT EXISTS sandbox_claims (campaign text, key text, host text NOT NULL, taken int NOT NULL DEFAULT 1,
  attempt int NOT NULL DEFAULT 1, logged boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT '', metrics text NOT NULL DEFAULT '{}', PRIMARY KEY (campaign, key));
"""
ALIVE = (
    "EXISTS (SELECT FROM sandbox_hosts h WHERE h.campaign = c.campaign AND h.host = c.host "
    "AND h.expires > clock_timestamp())"
)
MINE = "campaign = :campaign AND key = ANY(CAST(:keys AS text[])) AND host = :host"


class ClaimsError(OSError):
    """The database that hosts share does not answer, or refuses. Its message is one line."""


class Claim(NamedTuple):
    """A claim: whose it is, which attempt at the run it is, whether another host had it before, whether it is logged."""

    host: str
    attempt: int
    inherited: bool
    logged: bool


class Came(NamedTuple):
    """How a run ended that some host has logged: its status, and the last value of each of its metrics."""

    status: str
    metrics: dict[str, float]


def check_uri(uri: str, tracking_uri: str = "") -> None:
    """Raises RequestError for what is no address of a PostgreSQL, and for the one that MLflow has."""
    try:
        parts = urlsplit(uri)
        known = parts.scheme.partition("+")[0] == "postgresql" and bool(parts.netloc or parts.path)
    except ValueError:
        known = False
    if not known:
        raise RequestError(
            f"study URI is {one_line(shown(uri))}: hosts share a PostgreSQL, postgresql://HOST/DATABASE; the journal "
            "under runs/ is for one host"
        )
    if uri == tracking_uri:
        raise RequestError(
            "study URI is MLflow's database: Optuna needs one of its own (they spoil each other's version)"
        )


@dataclass(frozen=True)
class Claims:
    """The claims of one campaign, as one host sees and makes them; nothing is asked before the first method.

    Every method raises ClaimsError once the database has been away for a while.
    """

    uri: str
    campaign: str
    host: str
    process: str = ""
    patience: float = PATIENCE

    @cached_property
    def engine(self) -> "Engine":
        """Connections that notice when the other side is gone, each for as long as it is needed."""
        from sqlalchemy import NullPool, create_engine

        theirs = (
            "-c statement_timeout=30000 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2"
        )
        return create_engine(self.uri, poolclass=NullPool, connect_args={**KEEPALIVE, "options": theirs})

    def check(self) -> "Claims":
        """Make the tables where there are none, and say so at once where that cannot be."""
        self._do(self._make, patience=0.0)
        return self

    def _make(self, connection: "Connection") -> None:
        _run(connection, "SELECT pg_advisory_xact_lock(:number)", number=number_of("tables"))
        connection.exec_driver_sql(TABLES)
        _run(
            connection,
            "INSERT INTO sandbox_campaigns VALUES (:campaign) ON CONFLICT DO NOTHING",
            campaign=self.campaign,
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the claims of this host for as long as it works, by a word now and then."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT):
                with suppress(ClaimsError):
                    self._do(self._beat, patience=0.0)

        self._do(self._beat)
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(1.0)

    def _beat(self, connection: "Connection") -> None:
        _run(
            connection,
            "INSERT INTO sandbox_hosts "
            "VALUES (:campaign, :host, :process, clock_timestamp() + :lease * interval '1 second') "
            "ON CONFLICT (campaign, host) DO UPDATE SET expires = excluded.expires, process = excluded.process",
            **self._me,
            process=self.process,
            lease=LEASE,
        )

    @property
    def _me(self) -> dict[str, Any]:
        return {"campaign": self.campaign, "host": self.host}

    def take(self, keys: Collection[str]) -> dict[str, Claim]:
        """Claim runs: those of these that are neither logged nor another living host's."""

        def work(connection: "Connection") -> dict[str, Claim]:
            # one after another: a statement that waited for a row would not see that the row's host has begun meanwhile
            _run(connection, "SELECT pg_advisory_xact_lock(:number)", number=number_of(f"take {self.campaign}"))
            self._beat(connection)
            rows = _run(
                connection,
                "INSERT INTO sandbox_claims AS c (campaign, key, host) "
                "SELECT :campaign, one, :host FROM unnest(CAST(:keys AS text[])) AS one ORDER BY one "
                "ON CONFLICT (campaign, key) DO UPDATE SET host = :host, taken = c.taken + (c.host <> :host)::int "
                f"WHERE NOT c.logged AND (c.host = :host OR NOT {ALIVE}) RETURNING key, attempt, taken",
                **self._me,
                keys=sorted(keys),
            )
            return {row.key: Claim(self.host, row.attempt, row.taken > 1, False) for row in rows}

        return self._do(work) if keys else {}

    def of(self, keys: Collection[str]) -> dict[str, Claim]:
        """The claims that there are of these runs, whoever has them."""
        asked = "SELECT * FROM sandbox_claims WHERE campaign = :campaign AND key = ANY(CAST(:keys AS text[]))"
        rows = self._do(lambda connection: _run(connection, asked, campaign=self.campaign, keys=list(keys)))
        return {row.key: Claim(row.host, row.attempt, row.taken > 1, row.logged) for row in rows}

    def free(self, keys: Collection[str]) -> list[str]:
        """Those of these runs that this host may claim: of a host that is gone, or given back."""
        asked = (
            "SELECT one FROM unnest(CAST(:keys AS text[])) AS one LEFT JOIN sandbox_claims c "
            "ON c.campaign = :campaign AND c.key = one "
            f"WHERE c.key IS NULL OR (NOT c.logged AND (c.host = :host OR NOT {ALIVE}))"
        )
        rows = self._do(lambda connection: _run(connection, asked, **self._me, keys=list(keys)))
        return [row.one for row in rows]

    def give_back(self, kept: Collection[str] = ()) -> None:
        """Let others have what this host has claimed and not logged, but what it `kept`; and with nothing kept, go."""
        unlogged = (
            "DELETE FROM sandbox_claims WHERE campaign = :campaign AND host = :host AND NOT logged AND taken = 1 "
        )

        def work(connection: "Connection") -> None:
            _run(connection, unlogged + "AND key <> ALL(CAST(:kept AS text[]))", **self._me, kept=list(kept))
            if not kept:
                _run(connection, "DELETE FROM sandbox_hosts WHERE campaign = :campaign AND host = :host", **self._me)

        self._do(work, patience=BEAT)

    def log(self, came: Mapping[str, Came]) -> None:
        """These runs of this host are in MLflow."""
        rows = [
            {**self._me, "keys": [key], "status": one.status, "metrics": json.dumps(one.metrics)}
            for key, one in came.items()
        ]
        asked = f"UPDATE sandbox_claims SET logged = true, status = :status, metrics = :metrics WHERE {MINE}"
        if rows:
            self._do(lambda connection: [_run(connection, asked, **row) for row in rows])

    def logged(self, keys: Collection[str] | None = None) -> dict[str, Came]:
        """How those of these runs (by default: of all) ended that are in MLflow."""
        asked = "SELECT key, status, metrics FROM sandbox_claims WHERE campaign = :campaign AND logged"
        given = {"campaign": self.campaign}
        if keys is not None:
            asked, given = f"{asked} AND key = ANY(CAST(:keys AS text[]))", {**given, "keys": list(keys)}
        rows = self._do(lambda connection: _run(connection, asked, **given))
        return {row.key: Came(row.status, json.loads(row.metrics)) for row in rows}

    def reopen(self, keys: Collection[str]) -> None:
        """Runs that were logged, and that MLflow has no more: another attempt, by whoever claims them next."""
        asked = (
            "UPDATE sandbox_claims SET logged = false, attempt = attempt + 1, host = '' "
            "WHERE campaign = :campaign AND key = ANY(CAST(:keys AS text[])) AND logged"
        )
        if keys:
            self._do(lambda connection: _run(connection, asked, campaign=self.campaign, keys=list(keys)))

    def keys(self) -> set[str]:
        """The runs that are logged, or that a living host has in hand; those of hosts that are gone are given up."""
        given_up = (
            "UPDATE sandbox_claims c SET host = '' WHERE campaign = :campaign AND NOT logged AND host NOT IN ('', :host) "
            f"AND NOT {ALIVE}"
        )
        asked = "SELECT key FROM sandbox_claims WHERE campaign = :campaign AND (logged OR host <> '')"

        def work(connection: "Connection") -> set[str]:
            _run(connection, given_up, **self._me)
            return {row.key for row in _run(connection, asked, campaign=self.campaign)}

        return self._do(work)

    def in_hand(self) -> int:
        """How many runs other living hosts have claimed and not logged."""
        asked = (
            "SELECT count(*) AS number FROM sandbox_claims c WHERE campaign = :campaign AND NOT logged "
            f"AND host <> :host AND {ALIVE}"
        )
        return self._do(lambda connection: _run(connection, asked, **self._me))[0].number

    def others(self) -> list[tuple[str, str]]:
        """The other hosts that work on the campaign, and their processes."""
        asked = (
            "SELECT host, process FROM sandbox_hosts "
            "WHERE campaign = :campaign AND host <> :host AND expires > clock_timestamp() ORDER BY host"
        )
        rows = self._do(lambda connection: _run(connection, asked, **self._me))
        return [(row.host, row.process) for row in rows]

    def ending(self) -> int:
        """The number of the ending that the parent run is about to have, higher than that of any before."""
        asked = "UPDATE sandbox_campaigns SET ending = ending + 1 WHERE campaign = :campaign RETURNING ending"
        return self._do(lambda connection: _run(connection, asked, campaign=self.campaign))[0].ending

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Do something that only one host may do at a time; whoever dies lets go of it."""
        with ExitStack() as stack:
            with self._telling():
                stack.enter_context(alone(self.uri, f"{what} {self.campaign}"))
            yield

    def forget(self) -> None:
        """Remove all that is known of the campaign."""

        def work(connection: "Connection") -> None:
            for table in ("claims", "hosts", "campaigns"):
                _run(connection, f"DELETE FROM sandbox_{table} WHERE campaign = :campaign", campaign=self.campaign)

        self._do(work, patience=0.0)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turns what SQLAlchemy raises into a ClaimsError."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, ImportError) as error:
            words = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            where = urlsplit(self.uri)
            place = f"{where.hostname}:{where.port or 5432}{where.path}"
            if isinstance(error, ImportError):
                words = [WITHOUT_DRIVER]
            what = " ".join(hide(words[0], self.uri).split())[:200]
            raise ClaimsError(f"the study's database at {place} does not answer, or refuses ({what})") from None

    def _do(self, work: Callable[["Connection"], T], patience: float | None = None) -> T:
        """Do something in a transaction, again and again while the database is away."""
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        while True:
            try:
                with self._telling(), self.engine.begin() as connection:
                    return work(connection)
            except ClaimsError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)


def _run(connection: "Connection", words: str, **values: Any) -> Sequence[Any]:
    from sqlalchemy import text

    result = connection.execute(text(words), values)
    return result.all() if result.returns_rows else ()
