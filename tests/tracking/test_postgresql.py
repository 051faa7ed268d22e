"""Several at once on a PostgreSQL with nothing in it yet."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
BEGIN = {
    "mlflow": "from sandbox.tracking import Store; print(len(Store({uri!r}).client.search_experiments()))",
    "optuna": "from pathlib import Path; from sandbox.sweeps.journal import open_storage; "
    "print(len(open_storage(Path('runs'), {uri!r}).get_all_studies()))",
}


@pytest.mark.parametrize("whose", BEGIN)
def test_of_several_who_make_the_tables_at_once_none_fails(database, whose, tmp_path):
    words = [sys.executable, "-c", BEGIN[whose].format(uri=database.create(f"begun_by_{whose}"))]
    begun = [subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [one.communicate(timeout=120)[0].strip() for one in begun] == [{"mlflow": "1", "optuna": "0"}[whose]] * 3
