"""What hosts need of a PostgreSQL that they share: to notice that it is gone, and to do a thing one after the other."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# A connection whose other side is gone is noticed within half a minute.
KEEPALIVE: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
LONGEST_TURN = 300_000  # milliseconds that another's turn is waited for


@contextmanager
def alone(uri: str, what: str) -> Iterator[None]:
    """Do something that only one process may do at a time in a database; whoever dies lets go of it.

    Raises what SQLAlchemy raises, and where the turn does not come within `LONGEST_TURN`.
    """
    from sqlalchemy import NullPool, create_engine, text

    number = {"number": number_of(what)}
    connection = create_engine(uri, poolclass=NullPool, connect_args=KEEPALIVE).connect()
    try:
        connection.execute(text(f"SET statement_timeout = {LONGEST_TURN}"))
        connection.execute(text("SELECT pg_advisory_lock(:number)"), number)
        connection.commit()
        yield
    finally:
        with suppress(Exception):
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), number)
        connection.close()  # its session ends, and whatever it held


def number_of(words: str) -> int:
    """A number for a lock of the database's."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], signed=True)
