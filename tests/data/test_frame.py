"""Data sets of one's own, from a frame or a file: what they become, and what is refused in one line."""

import pickle

import numpy as np
import pandas as pd
import pytest

from sandbox import Config, Dataset, RequestError, load_dataset, train
from sandbox.data.datasets import OWN, entry_of
from sandbox.data.storage import keep, recall
from sandbox.result import prepare


@pytest.fixture(scope="module")
def penguins():
    """The table of package palmerpenguins: 344 rows, text, numbers and gaps."""
    from importlib.resources import files

    return files("palmerpenguins") / "data" / "penguins.csv"


@pytest.fixture
def customers():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 400),
            "net income": rng.normal(3000, 900, 400),
            "city": rng.choice(["Rome", "Oslo", "Kyiv"], 400),
            "bought": rng.choice(["no", "yes"], 400),
        }
    )
    frame.loc[[3, 30, 31], "net income"] = np.nan
    frame.loc[[7, 8, 9], "city"] = None
    return frame


def test_it_says_what_it_did(customers):
    data = Dataset.from_frame(customers, "bought")
    assert data.summary == "394 of 400 rows (6 with gaps dropped), 2 numbers standardised, city in 3 columns"
    assert (data.task, data.class_names) == ("binary", ("no", "yes"))
    assert data.feature_names == ("age", "net income", "city=Kyiv", "city=Oslo", "city=Rome")
    filled = Dataset.from_frame(customers, "bought", gaps="fill", scaling="minmax", leave_out=["age"])
    assert filled.summary == "400 rows (6 with gaps filled), 1 number brought to 0 to 1, city in 3 columns"


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (["a", "b"] * 10, "binary", ("a", "b")),
        ([3, 5] * 10, "binary", ("3", "5")),
        ([0.5, 2.5] * 10, "binary", ("0.5", "2.5")),
        ([True, False] * 10, "binary", ("0", "1")),
        (["a", "b", "c", "b"] * 5, "multiclass", ("a", "b", "c")),
        ([10, 2, 2, 10, 7] * 4, "multiclass", ("2", "7", "10")),
        ([0.5, 1, 2, 3, 4] * 4, "regression", ()),
        ([*range(21)], "regression", ()),
    ],
)
def test_the_task_follows_from_the_target(target, task, classes):
    data = Dataset.from_frame(pd.DataFrame({"x": np.arange(len(target)), "y": target}), "y")
    assert (data.task, data.class_names) == (task, classes)
    whole = Dataset.from_frame(pd.DataFrame({"x": np.arange(20), "y": [1, 2, 3, 2] * 5}), "y", task="regression")
    np.testing.assert_array_equal(whole.Y[:, 0], [1, 2, 3, 2] * 5)


@pytest.mark.parametrize("scaling", ["standard", "minmax", "none"])
def test_the_training_part_says_how_features_are_scaled_and_gaps_filled(customers, scaling):
    data = Dataset.from_frame(customers, "bought", gaps="fill", scaling=scaling)
    problem = prepare(Config(dataset=data, n_examples=100))
    raw = customers[["age", "net income"]].to_numpy(float)
    parts = [problem.train, problem.validation, problem.test]
    assert [len(part) for part in parts if part] == [100, 200, 100]
    rows = np.concatenate([part.X for part in parts if part])
    assert set(np.unique(rows[:, 2:])) == {0.0, 1.0}
    assert (rows[:, 2:].sum(axis=1) == 1).all()
    if scaling == "standard":
        np.testing.assert_allclose(problem.train.X[:, :2].mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(problem.train.X[:, :2].std(axis=0), 1)
    elif scaling == "minmax":
        np.testing.assert_allclose(problem.train.X[:, :2].min(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(problem.train.X[:, :2].max(axis=0), 1)
    else:
        complete = raw[~np.isnan(raw).any(axis=1)]
        assert set(map(tuple, complete)) <= set(map(tuple, rows[:, :2]))
    gap = problem.features(np.array([[50.0, np.nan, np.nan, np.nan, np.nan]]))
    mean = problem.train.X[:, 1].mean()
    np.testing.assert_allclose(gap[0, 1], mean, atol=1e-12)
    assert gap[0, 2:].argmax() == problem.train.X[:, 2:].sum(axis=0).argmax()


def test_parts_are_stratified_and_share_no_row(customers):
    customers["row"] = np.arange(len(customers))
    data = Dataset.from_frame(customers, "bought", scaling="none")
    problem = prepare(Config(dataset=data, data_seed=3))
    parts = [part for part in (problem.train, problem.validation, problem.test) if part]
    rows = np.concatenate([part.X[:, data.feature_names.index("row")] for part in parts])
    assert len(np.unique(rows)) == len(data) == 394
    shares = [part.Y.mean() for part in parts]
    np.testing.assert_allclose(shares, data.Y.mean(), atol=0.02)


def test_csv_parquet_and_frame_are_one_data_set(penguins, tmp_path):
    frame = pd.read_csv(penguins)
    (tmp_path / "a").mkdir()
    csv, parquet = tmp_path / "a" / "birds.csv", tmp_path / "penguins.parquet"
    frame.to_csv(csv, index=False)
    frame.to_parquet(parquet)
    fields = {"target": "species", "epochs": 50, "hidden": (4,), "crosses": ("bill_length_mm*bill_depth_mm",)}
    given = Dataset.from_frame(frame, "species")
    configs = [
        Config(dataset=str(csv), **fields),
        Config(dataset=parquet, **fields),
        Config(dataset=penguins, **fields),
    ]
    configs.append(Config(**{**fields, "dataset": given, "target": None}))
    assert len({config.key for config in configs}) == 1
    costs = [train(config).costs for config in configs]
    for other in costs[1:]:
        np.testing.assert_array_equal(costs[0], other)
    assert configs[0].data.name.startswith("birds-")
    assert configs[0].key != Config(dataset=csv, **{**fields, "target": "island"}).key
    frame.loc[0, "body_mass_g"] += 1
    frame.to_csv(csv, index=False)
    assert Config(dataset=csv, **fields).key not in {config.key for config in configs}


def test_a_built_in_table_written_out_gives_the_built_ins_numbers(tmp_path):
    table = load_dataset("breast_cancer")
    frame = pd.DataFrame(table.X, columns=list(table.feature_names)).assign(
        diagnosis=[table.class_names[int(y)] for y in table.Y[:, 0]]
    )
    path = tmp_path / "cancer.csv"
    frame.to_csv(path, index=False)
    fields = {"hidden": (4,), "epochs": 200, "n_examples": 100, "data_seed": 7}
    own, built_in = (
        train(Config(dataset=name, target=target, **fields))
        for name, target in ((str(path), "diagnosis"), ("breast_cancer", None))
    )
    np.testing.assert_array_equal(own.costs, built_in.costs)
    assert own.test_accuracy == built_in.test_accuracy


def test_columns_go_by_their_names_in_crosses(customers):
    data = Dataset.from_frame(customers, "bought")
    config = Config(dataset=data, crosses=("x1*x2", ' "net income" ^2', '"city=Oslo"*age'))
    assert config.crosses == ('age*"net income"', '"net income"^2', 'age*"city=Oslo"')
    problem = prepare(config)
    np.testing.assert_array_equal(problem.inputs(problem.train.X)[:, 5], problem.train.X[:, 0] * problem.train.X[:, 1])
    with pytest.raises(RequestError, match='expected age, "net income", "city=Kyiv"'):
        Config(dataset=data, crosses=("income*age",))


def test_data_travel_with_their_config(customers):
    config = Config(dataset=Dataset.from_frame(customers, "bought", name="c"), epochs=10)
    name, key, costs, told = config.data.name, config.key, train(config).costs, pickle.dumps(config)
    assert entry_of(f"renamed-{name[-12:]}") is config.data
    del config
    OWN.clear()  # as in another process
    with pytest.raises(RequestError, match="is of somebody's own, and not here"):
        Config(dataset=name)
    back = pickle.loads(told)
    assert (back.dataset, back.key) == (name, key)
    np.testing.assert_array_equal(train(back.replace(epochs=10)).costs, costs)
    assert len(pickle.dumps([back.replace(seed=seed) for seed in range(100)])) < 3 * len(told)  # once in all


def test_a_data_set_made_by_hand_is_taken_as_it_is():
    X = np.random.default_rng(0).normal(size=(40, 2))
    data = Dataset("by hand", X, (X[:, :1] > 0).astype(float), ("width", "height"), "binary")
    config = Config(dataset=data, crosses=("width*height",), epochs=10)
    assert config.data.name.startswith("by_hand-")
    assert len(prepare(config).train) == 24


ROWS = "".join(f"{n},{n % 7},{'ab'[n % 2]}\n" for n in range(40))
HOSTILE = {  # text or bytes of a CSV whose target is y -> what the line says
    "empty": ("", "is empty"),
    "blank lines": ("\n\n\n", "is empty"),
    "header only": ("x,z,y\n", "0 rows"),
    "one row": ("x,z,y\n1,2,a\n", "1 rows"),
    "one column": ("y\n" + "a\nb\n" * 20, "no column beside 'y'"),
    "no target": ("x,z\n" + "1,2\n" * 20, "unknown column 'y'"),
    "one class": ("x,z,y\n" + "1,2,a\n" * 20, "is 'a' in every row"),
    "a rare class": ("x,z,y\n" + ROWS + "1,2,c\n", "is 'c' in 1 rows"),
    "only gaps in the target": ("x,z,y\n" + "1,2,\n" * 20, "0 rows"),
    "gaps everywhere": ("x,z,y\n" + ",2,a\n1,,b\n" * 20, "0 rows of 40 without gaps"),
    "binary": (bytes(range(256)) * 40, "no text in UTF-8"),
    "UTF-16": (("x,z,y\n" + ROWS).encode("utf-16"), "no text in UTF-8"),
    "Latin-1": (("x,z,y\n" + ROWS.replace("a", "ä")).encode("latin-1"), "no text in UTF-8"),
    "twice the same name": ("x,x,y\n" + ROWS, "two columns 'x'"),
    "a column without a name": ("x,,y\n" + ROWS, "column 2 has no name"),
    "a blank name": ("x,  ,y\n" + ROWS, "column 2 has no name"),
    "a quote in a name": ('x,"z""w",y\n' + ROWS, "without quotes"),
    "a line end in a name": ('x,"z\nw",y\n' + ROWS, "line ends"),
    "a very long name": (f"x,{'z' * 5000},y\n" + ROWS, "5000 characters"),
    "a quote that does not end": ('x,z,y\n1,2,"a\n' + ROWS, "no CSV"),
    "longer rows than the names": ("x,z,y\n1,2,3,4,5\n" + ROWS, "no CSV"),
    "a longer row later": ("x,z,y\n" + ROWS + "1,2,3,4,5\n", "no CSV"),
    "infinities": ("x,z,y\n" + ROWS + "inf,2,a\n", "column 'x' has inf"),
    "a number too large": ("x,z,y\n" + ROWS + "1e999,2,a\n", "finite numbers are needed"),
    "an infinite target": (
        "x,z,y\n" + "".join(f"{n},1,{n / 3}\n" for n in range(40)) + "1,2,inf\n",
        "column 'y' has inf",
    ),
    "dates": (
        "x,z,y\n" + "".join(f"2020-01-{n % 28 + 1}T{n % 24}:{n % 60},1,{'ab'[n % 2]}\n" for n in range(99)),
        "texts",
    ),
    "a text in every row": ("x,z,y\n" + "".join(f"name {n},1,{'ab'[n % 2]}\n" for n in range(99)), "--leave-out x"),
    "a class in every row": ("x,z,y\n" + "".join(f"1,{n},name {n}\n" for n in range(200)), "200 different values"),
    "quotes in a text": ("x,z,y\n" + ROWS + '1,"say ""no""",a\n', "without quotes"),
    "semicolons": ("x;z;y\n" + ROWS.replace(",", ";"), "unknown column 'y'"),
}


def hostile(tmp_path):
    for name, (content, says) in HOSTILE.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield path, says
    directory, sparse, broken = tmp_path / "directory.csv", tmp_path / "gigabytes.csv", tmp_path / "broken.parquet"
    directory.mkdir()
    with sparse.open("wb") as file:
        file.truncate(3 * 10**9)
    broken.write_bytes(b"PAR1" + bytes(200) + b"PAR1")
    text = tmp_path / "text.parquet"
    text.write_text("x,z,y\n" + ROWS)
    yield from ((directory, "no file"), (sparse, "3.0 GB"), (broken, "no Parquet"), (text, "no Parquet"))
    yield tmp_path / "nowhere.csv", "No such file"


def test_hostile_files_get_one_line(tmp_path):
    seen = 0
    for path, says in hostile(tmp_path):
        with pytest.raises(RequestError) as error:
            Config(dataset=path, target="y")
        assert says in str(error.value), (path.name, str(error.value))
        assert "\n" not in str(error.value)
        seen += 1
    assert seen == len(HOSTILE) + 5


def refusal(path):
    try:
        train(Config(dataset=path, target="y", epochs=2))
    except RequestError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", range(4))
def test_files_that_were_damaged_are_refused_in_one_line_or_learnt_from(tmp_path, seed):
    """A sound file with bytes changed, taken out or put in at random places, 50 of each seed."""
    rng, whole = np.random.default_rng(seed), ("x,z,y\n" + ROWS * 2).encode()
    frame = pd.DataFrame({"x": np.arange(80.0), "z": ["u", "v"] * 40, "y": [0, 1] * 40})
    frame.to_parquet(tmp_path / "sound.parquet")
    refused = 0
    for number in range(50):
        suffix, content = (".csv", whole) if number % 2 else (".parquet", (tmp_path / "sound.parquet").read_bytes())
        array = bytearray(content)
        for _ in range(int(rng.integers(1, 30))):
            at = int(rng.integers(len(array)))
            match rng.integers(3):
                case 0:
                    array[at] = int(rng.integers(256))
                case 1:
                    del array[at : at + int(rng.integers(1, 40))]
                case _:
                    array[at:at] = bytes(rng.integers(0, 256, int(rng.integers(1, 10)), dtype=np.uint8))
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(array)
        if line := refusal(path):
            refused += 1
            assert "\n" not in line
            assert len(line) < 400
    assert refused > 10


def test_options_that_are_none_are_one_line(customers):
    for options, says in (
        ({"gaps": "ignore"}, "unknown way with gaps 'ignore'"),
        ({"scaling": "max"}, "unknown scaling 'max'"),
        ({"task": "binary", "target": "city"}, "3 different values: for the task binary 2 are needed"),
        ({"task": "regression"}, "holds text"),
        ({"target": "sold"}, "unknown column 'sold'"),
        ({"leave_out": ["agee"]}, "unknown column 'agee': did you mean 'age'"),
    ):
        with pytest.raises(RequestError, match=says):
            Dataset.from_frame(customers, **{"target": "bought", **options})
    with pytest.raises(RequestError, match="dates or times"):
        Dataset.from_frame(customers.assign(when=pd.Timestamp("2026-01-01")), "bought")
    with pytest.raises(RequestError, match="is no file, and has its target already"):
        Config(dataset="circle", target="y")


def test_too_few_examples_by_hand_are_one_line():
    X, half = np.random.default_rng(0).normal(size=(12, 2)), np.repeat([[0.0], [1.0]], 6, axis=0)
    for rows, Y, task, says in (
        (4, half[4:8], "binary", "at least 8 examples"),
        (12, np.zeros((12, 1)), "binary", "has 0 examples of a class"),
        (12, (np.arange(12) < 2)[:, None] * 1.0, "binary", "has 2 examples of a class, of 12: every class needs 3"),
        (12, np.eye(4)[np.arange(12) % 4], "multiclass", "4 classes 16 in all"),
        (12, np.full((12, 1), np.inf), "regression", "targets that are not finite"),
    ):
        data = Dataset("few", X[:rows], Y, ("a", "b"), task)
        with pytest.raises(RequestError, match=says):
            Config(dataset=data)
    assert len(train(Config(dataset=Dataset("few", X[:8], half[2:10], ("a", "b"), "binary"), epochs=2)).costs) == 2


def test_what_was_kept_comes_back_and_what_is_damaged_does_not(customers, tmp_path):
    table = Config(dataset=Dataset.from_frame(customers, "bought", gaps="fill")).data
    keep([table], tmp_path)
    (path,) = (tmp_path / "data").iterdir()
    whole = path.read_bytes()
    OWN.clear()
    back = recall(table.name, tmp_path)
    assert back is not None
    assert (back.name, back.digest) == (table.name, table.digest)
    assert recall("circle", tmp_path) is None
    for content in (b"", whole[: len(whole) // 2], whole[:50] + bytes(50) + whole[100:], b"PK\x03\x04"):
        path.write_bytes(content)
        assert recall(table.name, tmp_path) is None
