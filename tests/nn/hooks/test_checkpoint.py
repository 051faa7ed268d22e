"""Networks on a disk: what is read is what was written, training goes on from it, and nothing foreign gets in."""

import io
import pickle
import re

import numpy as np
import pytest

from sandbox import Config, Hook, Network, RequestError, fit, train
from sandbox.nn import Checkpoint, load_checkpoint

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
SINGLE = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(0).normal(size=13))
POPULATION = Network([2, 3, 1], ["tanh", "sigmoid"], np.random.default_rng(1).normal(size=(6, 13)))
WIDE = Network.initialize([2, 40, 40, 1], ["relu", "leaky_relu", "linear"], dtype=np.float32)
SHAPES = pytest.mark.parametrize("network", [SINGLE, POPULATION, WIDE], ids=["single", "population", "wide"])


class Interrupt(Hook):
    def __init__(self, epoch):
        self.epochs = (epoch,)

    def on_epoch(self, run):
        raise KeyboardInterrupt


def learn(network, epochs, *hooks):
    return fit(network, X, Y, learning_rate=0.5, epochs=epochs, hooks=hooks)


@SHAPES
def test_going_on_gives_the_numbers_of_an_uninterrupted_run(network, tmp_path):
    whole = learn(network, 100)
    path = tmp_path / "network.npz"
    with pytest.raises(KeyboardInterrupt):
        learn(network, 100, Checkpoint(path, every=20), Interrupt(75))
    found, epoch = load_checkpoint(path)
    assert epoch == 60
    rest = learn(found, 100 - epoch)
    assert np.array_equal(rest.costs, whole.costs[..., 60:])
    assert np.array_equal(rest.cost, whole.cost)
    assert np.array_equal(rest.network.parameters, whole.network.parameters)
    assert rest.network.parameters.dtype == network.parameters.dtype


@SHAPES
def test_the_end_is_kept(network, tmp_path):
    run = learn(network, 7, Checkpoint(tmp_path / "network.npz"))
    found, epoch = load_checkpoint(tmp_path / "network.npz")
    assert (epoch, found.sizes, found.activations) == (7, network.sizes, network.activations)
    assert np.array_equal(found.parameters, run.network.parameters)
    assert [path.name for path in tmp_path.iterdir()] == ["network.npz"]


@SHAPES
def test_save_and_load(network, tmp_path):
    for name in ("first.npz", "no suffix"):
        network.save(tmp_path / name)
        found = Network.load(str(tmp_path / name))
        assert (found.sizes, found.activations) == (network.sizes, network.activations)
        assert np.array_equal(found.parameters, network.parameters)
        assert found.parameters.dtype == network.parameters.dtype
        assert np.array_equal(found.predict(X), network.predict(X))
    network.save(tmp_path / "first.npz", epoch=12)
    assert load_checkpoint(tmp_path / "first.npz")[1] == 12


def test_a_result_is_saved_and_read_back(tmp_path):
    result = train(Config(epochs=50), [Checkpoint(tmp_path / "a.npz")])
    assert np.array_equal(Network.load(tmp_path / "a.npz").parameters, result.network.parameters)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "network.npz"
    SINGLE.save(path)
    wrong = Network([2, 3, 1], ["tanh", "sigmoid"], np.array([object()] * 13))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        wrong.save(path)
    assert np.array_equal(Network.load(path).parameters, SINGLE.parameters)
    assert [file.name for file in tmp_path.iterdir()] == ["network.npz"]


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        learn(SINGLE, 5, Checkpoint(tmp_path / "nowhere" / "network.npz"))


class Bomb:
    def __reduce__(self):
        return print, ("a pickle was executed",)


def whole_file():
    file = io.BytesIO()
    np.savez(file, **arrays())
    return file.getvalue()


def arrays(**changes):
    parts = {
        "format": np.array("sandbox network 1"),
        "sizes": np.array([2, 3, 1]),
        "activations": np.array(["tanh", "sigmoid"]),
        "parameters": np.zeros(13),
        "epoch": np.array(3),
    }
    return {name: value for name, value in {**parts, **changes}.items() if value is not None}


def archive(**changes):
    file = io.BytesIO()
    np.savez(file, **arrays(**changes))
    return file.getvalue()


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros(13))
    return file.getvalue()


FOREIGN = {
    "empty": b"",
    "text": b"weights: 1, 2, 3\n",
    "a pickle": pickle.dumps(Bomb()),
    "an array": npy(),
    "half of one": whole_file()[: len(whole_file()) // 2],
    "without its end": whole_file()[:-10],
    "a zip of other things": archive(format=None),
    "without parameters": archive(parameters=None),
    "without an epoch": archive(epoch=None),
    "objects": archive(parameters=np.array([Bomb()] * 13)),
    "another format": archive(format=np.array("sandbox network 2")),
    "another format's type": archive(format=np.array(1)),
    "too few parameters": archive(parameters=np.zeros(12)),
    "no parameters": archive(parameters=np.array(1.0)),
    "whole numbers": archive(parameters=np.zeros(13, int)),
    "complex numbers": archive(parameters=np.zeros(13, complex)),
    "an unknown activation": archive(activations=np.array(["tanh", "sigmund"])),
    "too few activations": archive(activations=np.array(["tanh"])),
    "activations of numbers": archive(activations=np.array([1, 2])),
    "no layers": archive(sizes=np.array([2]), activations=np.array([], dtype=str), parameters=np.zeros(0)),
    "layers of nothing": archive(sizes=np.array([2, 0, 1])),
    "layers below nothing": archive(sizes=np.array([2, -3, 1])),
    "broken layers": archive(sizes=np.array([2.0, 3.0, 1.0])),
    "epochs": archive(epoch=np.array([1, 2])),
    "a negative epoch": archive(epoch=np.array(-1)),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_in_one_line(content, tmp_path, capfd):
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    for load in (load_checkpoint, Network.load):
        with pytest.raises(RequestError, match=re.escape(str(path))) as error:
            load(path)
        assert "\n" not in str(error.value)
    assert "executed" not in capfd.readouterr().out


def test_a_flipped_bit_anywhere_is_refused_or_of_no_consequence(tmp_path):
    content, path = whole_file(), tmp_path / "network.npz"
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            network, epoch = load_checkpoint(path)
        except RequestError:
            continue
        assert (network.sizes, network.activations, epoch) == ((2, 3, 1), ("tanh", "sigmoid"), 3)
        assert not network.parameters.any()


@pytest.mark.parametrize("where", ["nowhere.npz", "."])
def test_a_file_that_is_none(tmp_path, where):
    with pytest.raises(RequestError, match=rf"{re.escape(str(tmp_path / where))}: (No such file|Is a directory)"):
        load_checkpoint(tmp_path / where)
