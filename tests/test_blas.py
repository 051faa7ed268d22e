"""One thread for BLAS while networks train, and as many as before when the last is done."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sandbox import Config, Hook, train
from sandbox.blas import one_thread


def threads():
    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@pytest.fixture(autouse=True)
def _two():
    _ = np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(2, user_api="blas"):
        if threads() != 2:
            pytest.skip("this BLAS has one thread")
        yield
        assert threads() == 2


def test_within_and_afterwards():
    with one_thread():
        assert threads() == 1
        with one_thread():
            assert threads() == 1
        assert threads() == 1


def test_while_a_network_trains():
    class Look(Hook):
        def on_epoch(self, run):
            self.threads = threads()

    hook = Look()
    train(Config(epochs=1), [hook])
    assert hook.threads == 1


def test_after_an_error():
    with pytest.raises(KeyError), one_thread():
        raise KeyError


@pytest.mark.parametrize("first", [0, 1])
def test_until_the_last_of_several_threads_has_left(first):
    """Whoever leaves first: threadpoolctl lets one thread alone set limits, and would leave the other with two."""
    enter, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def work(number):
        with one_thread():
            enter[number].set()
            leave[number].wait(10)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker, entered in zip(workers, enter, strict=True):
        worker.start()
        entered.wait(10)
    assert threads() == 1
    leave[first].set()
    workers[first].join()
    assert threads() == 1
    leave[1 - first].set()
    workers[1 - first].join()
    assert threads() == 2
