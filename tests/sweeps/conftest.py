"""Optuna's half of a sweep, as Optuna alone reads it."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sandbox.sweeps.journal import JOURNAL


@pytest.fixture(scope="session")
def studies():
    """A function: the studies of a journal, by name."""

    def read(root):
        storage = JournalStorage(JournalFileBackend(str(root / JOURNAL)))
        return {
            name: optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)
        }

    return read


@pytest.fixture
def study_of(root, studies):
    """A function: the one study of a sweep."""

    def read(sweep, where=root):
        (study,) = (study for name, study in studies(where).items() if name.startswith(f"{sweep.id} "))
        return study

    return read
