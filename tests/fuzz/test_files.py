"""Files that were spoilt: five hundred entries of a spool, two hundred journals, notes and databases; and then the
ordinary command. What was whole before is whole after."""

import json
import shutil
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from sandbox.tracking import Destination, Record, Store
from sandbox.tracking.entry import Entry
from sandbox.tracking.linked import LoggedDataset
from sandbox.tracking.spool import Spool
from tests.fuzz.house import SEED, as_json, call, empty_store, lot_id, numbers, runs_under, tree, wrong_in
from tests.fuzz.mutations import restore, spoil_entry, spoil_file

ENTRIES, SMOKE, LOT, WHOLE = 500, 20, 5, 3
STORES, STORES_SMOKE = 200, 2
TO = Destination("rates", "What rates do.", "s1", {"role": "sweep"}, {"base.epochs": "50"}, {"objective": "min:cost"})
SWEEP = ["sweep", "--vary", "learning_rate=0.5,1", "--hidden", "2", "--epochs", "5", "--seeds", "2", "--json"]
STEPS = {
    "sweep": SWEEP,
    "doctor": ["doctor"],
    "doctor --repair": ["doctor", "--repair"],
    "sweep again": SWEEP,
    "doctor again": ["doctor"],
}
SPOILT = {"optuna.journal": 18, "spool/*/store.json": 10, "campaigns/*.json": 8, "mlflow.db": 4}  # and how often


def png(shade):
    buffer = BytesIO()
    Image.new("RGB", (32, 24), (shade, 60, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def entry(key):
    """A run's entry, as a sweep's would be."""
    metrics = [*(("cost", 0.5 / step, step) for step in range(1, 9)), ("final_cost", 0.06, 0)]
    tags = {"sweep": TO.campaign, "config_key": key, "seed": "3", "arm": "a"}
    files: dict[str, Any] = {"images": {"cost.png": png(1), "boundary.png": png(2)}, "files": {"deep/er.csv": b"a,b\n"}}
    slider = {"boundary": {step: png(step) for step in (0, 4, 8)}}
    times = (1_790_000_000_000, 1_790_000_002_500)
    data = LoggedDataset("moons", "0123456789ab", "{}", "{}", "{}")
    return Entry(
        TO, Record(key, "FINISHED", *times, {"hidden": "3"}, metrics, tags, **files, slider=slider, dataset=data)
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The bytes of a store without runs."""
    return empty_store(tmp_path_factory.mktemp("store") / "mlflow.db")


@pytest.fixture
def faults(tmp_path, empty):
    """A function: what is wrong when spoilt entries with these numbers lie in a spool beside whole ones."""

    def run(lot):
        place = tmp_path / str(lot[0]) / "house" / "work"
        (place / "runs").mkdir(parents=True)
        (place / "runs" / "mlflow.db").write_bytes(empty)
        spool = Spool(Store(None, place / "runs").uri, place / "runs").open()
        spoilt = {}
        for number in lot:
            path = spool.put(entry(f"spoilt {number}"))
            path.write_bytes(spoil_entry(path.read_bytes(), Random(f"{SEED}/entry/{number}")))
            spoilt[path] = path.read_bytes()
            if number - lot[0] < WHOLE:
                spool.put(entry(f"whole {number - lot[0]}"))
        for number in range(len(lot), WHOLE):
            spool.put(entry(f"whole {number}"))
        wrong = wrong_after_sync(place, spool, spoilt)
        shutil.rmtree(tmp_path / str(lot[0]))
        return [f"entries {lot}: {one}" for one in wrong]

    return run


def wrong_after_sync(place: Path, spool: Spool, spoilt: dict[Path, bytes]) -> list[str]:
    """What is wrong once `sandbox sync` has been called, twice, and the doctor."""
    steps = {"sync": ["sync", "--json"], "sync again": ["sync"], "doctor": ["doctor"]}
    first, again, doctor = answers = [call(words, place) for words in steps.values()]
    wrong = [f"{step}: {one}" for step, answer in zip(steps, answers, strict=True) for one in wrong_in(answer)]
    wrong += [f"written outside: {path}" for path in tree(place.parents[1]) if not path.startswith("house")]
    aside, left = spool.rejected(), spool.files()
    wrong += [f"set aside without a reason: {path.name}" for path, why in aside.items() if not why]
    if left or again.code:
        wrong.append(f"{len(left)} files still wait: sync {first.code}, then {again.code} {again.errors[-300:]}")
    if aside and not (first.code and doctor.code):
        wrong.append(f"{len(aside)} files are set aside: sync {first.code}, doctor {doctor.code}")
    gone = {path.name for path in (*left, *aside)}
    return wrong + wrong_in_store(place, [content for path, content in spoilt.items() if path.name not in gone])


def wrong_in_store(place: Path, logged: list[bytes]) -> list[str]:
    """What is wrong with the runs in MLflow, the spoilt entries that were `logged` among them."""
    told = [run for run in runs_under(place).values() if not run.is_parent]
    wrong = [f"{run.name[:80]} is {run.status}" for run in told if run.status == "RUNNING"]
    for number in range(WHOLE):
        found = [run for run in told if run.tags.get("config_key") == f"whole {number}"]
        pictures = [len(list(place.rglob(f"{run.run_id}/artifacts/**/*.png"))) for run in found]
        seen = [(run.status, run.metrics, size) for run, size in zip(found, pictures, strict=True)]
        if seen != [("FINISHED", {"cost": 0.0625, "final_cost": 0.06}, 8)]:
            wrong.append(f"whole {number}, once, with its metrics and pictures, is wanted, and not {seen}")
    there = Counter((run.name, len(run.params), len(run.metrics)) for run in told)
    if missing := Counter(one for content in logged if (one := contents(content))) - there:
        wrong.append(f"not logged whole, and not set aside: {missing}, there is {there}"[:500])
    return wrong


def contents(content: bytes) -> tuple[str, int, int] | None:
    """The name of an entry's run, and how many params and metrics it says that there are; None where it is no run."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        head = json.loads(archive.read("entry.json"))
    record = head["record"]
    names = {key for key, _, _ in record["metrics"]}
    return None if head["closing"] else (record["name"], len(record["params"]), len(names))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep that has ended: where, what was kept of it, and the keys of its runs."""
    place = tmp_path_factory.mktemp("finished") / "house" / "work"
    place.mkdir(parents=True)
    answer = call(SWEEP, place)
    assert answer.code == 0, answer.errors
    kept = place.parents[1] / "kept"
    shutil.copytree(place, kept)
    return place, kept, sorted(run.tags["config_key"] for run in runs_under(place).values() if not run.is_parent)


@pytest.fixture
def store_faults(finished):
    """A function: what is wrong when one file of a finished sweep has been spoilt."""
    place, kept, keys = finished

    def run(number):
        restore(place, kept)
        luck = Random(f"{SEED}/store/{number}")
        (pattern,) = luck.choices(list(SPOILT), list(SPOILT.values()))
        (path,) = (place / "runs").glob(pattern)
        before = {} if pattern == "mlflow.db" else runs_under(place)
        what = spoil_file(path, luck)
        return [f"store {number}, {what}: {one}" for one in wrong_with(place, keys, before)]

    return run


def wrong_with(place, keys, before):
    """What is wrong when the sweep is run again in `place`, and the doctor asked, until both are content."""
    wrong, codes, said = [], [], ""
    for step, words in STEPS.items():
        answer = call(words, place)
        codes.append(answer.code)
        said = f"{answer.output[-300:]} {answer.errors[-300:]}"
        wrong += [f"{step}: {one}" for one in wrong_in(answer)]
        runs = runs_under(place)
        if words == SWEEP and answer.code == 0:
            told = [run.tags["config_key"] for run in runs.values() if run.status == "FINISHED" and not run.is_parent]
            if sorted(told) != keys or not (as_json(answer.output) or {}).get("finished"):
                wrong.append(f"{step}: exit code 0, and of {len(keys)} runs there are {len(told)} in MLflow")
        if any(runs.get(run_id) != run for run_id, run in before.items()):
            wrong.append(f"{step}: a run is no longer what it was")
        if codes == [0, 0]:
            break
    if before and codes[-2:] != [0, 0]:  # MLflow has all of it: nothing else is beyond mending
        wrong.append(f"{' and '.join(list(STEPS)[-2:])}: {codes[-2:]}, {said}")
    return wrong


@pytest.mark.parametrize("lot", numbers(0, SMOKE, LOT), ids=lot_id)
def test_a_few_entries(faults, lot):
    assert_none(faults(lot))


@pytest.mark.slow
@pytest.mark.parametrize("lot", numbers(SMOKE, ENTRIES, LOT), ids=lot_id)
def test_entries(faults, lot):
    assert_none(faults(lot))


@pytest.mark.parametrize("lot", numbers(0, STORES_SMOKE, STORES_SMOKE), ids=lot_id)
def test_a_few_stores(store_faults, lot):
    assert_none([fault for number in lot for fault in store_faults(number)])


@pytest.mark.slow
@pytest.mark.parametrize("lot", numbers(STORES_SMOKE, STORES, 18), ids=lot_id)
def test_stores(store_faults, lot):
    assert_none([fault for number in lot for fault in store_faults(number)])


def assert_none(faults):
    """Fail with all of them."""
    if faults:
        pytest.fail(f"{len(faults)} faults, FUZZ_SEED={SEED}, FUZZ_ONLY=NUMBER\n" + "\n".join(faults), pytrace=False)
