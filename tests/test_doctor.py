"""The doctor: every disagreement is made by hand, found, named and, where no training is needed, mended."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from optuna.trial import create_trial

import sandbox
from sandbox.cli import main
from sandbox.doctor import examine
from sandbox.job import work
from sandbox.lock import lock_of
from sandbox.note import Note, note_path
from sandbox.sweeps import Range, run_sweep
from sandbox.sweeps.journal import JOURNAL
from sandbox.sweeps.study import Study, ended_trials, known_study
from sandbox.tracking import Store
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool, taken
from sandbox.tracking.writer import Writer, drain

HOLD = """
import sys
from pathlib import Path
from sandbox.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def ran(small, store, tmp_path_factory):
    """A sweep that has run, and where."""
    root = tmp_path_factory.mktemp("ran")
    sweep = small("doctor")
    assert run_sweep(sweep, store, root, quiet=True).status == "FINISHED"
    return sweep, root


@pytest.fixture
def patient(ran, store, plain, tmp_path):
    """The same sweep with a root of its own, and all of its runs in MLflow as they were."""
    sweep, before = ran
    root = tmp_path / "runs"
    shutil.copytree(before, root)
    experiment = plain.get_experiment_by_name(sweep.name).experiment_id
    ids = {run.info.run_id for run in plain.search_runs([experiment])}
    yield sweep, root, experiment
    for run in plain.search_runs([experiment]):
        if run.info.run_id not in ids:
            plain.delete_run(run.info.run_id)
    for run_id in ids:
        if plain.get_run(run_id).info.lifecycle_stage == "deleted":
            plain.restore_run(run_id)
        plain.set_terminated(run_id, "FINISHED")


@pytest.fixture
def doctor(store, patient, monkeypatch, capsys):
    """A function: `sandbox doctor` with these words; gives its exit code and its output."""

    def call(*words):
        monkeypatch.chdir(patient[1].parent)
        monkeypatch.setattr("sys.argv", ["sandbox", "doctor", "--tracking-uri", store.uri, *words])
        with pytest.raises(SystemExit) as end:
            main()
        output, errors = capsys.readouterr()
        assert errors == ""
        return end.value.code or 0, output

    return call


@pytest.fixture
def here_in(monkeypatch, capsys):
    """A function: what `sandbox` answers in a directory: exit code, output, errors."""

    def call(directory, *words):
        monkeypatch.chdir(directory)
        monkeypatch.setattr("sys.argv", ["sandbox", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, *capsys.readouterr()

    return call


def study_of(sweep, root):
    """The study of a sweep, as it is."""
    study = known_study(sweep.id, sweep.goal.words, root)
    assert study is not None
    return study


def children(plain, experiment, sweep):
    runs = plain.search_runs([experiment], f"tags.sweep = '{sweep.id}'")
    return [run for run in runs if "config_key" in run.data.tags]


def half(plain, experiment, sweep, key):
    """A run as a dead process leaves it."""
    parent = next(run.data.tags["mlflow.parentRunId"] for run in children(plain, experiment, sweep))
    tags = {"sweep": sweep.id, "config_key": key, "mlflow.parentRunId": parent}
    return plain.create_run(experiment, tags=tags).info.run_id


def test_a_sound_sweep(doctor):
    assert doctor() == (0, "1 sweeps and comparisons examined: nothing disagrees\n")
    code, output = doctor("--json")
    report = json.loads(output)
    assert (code, len(report["campaigns"]), report["alive"], report["findings"]) == (0, 1, [], [])


QUICK = """
import sys
from sandbox.cli import main
try:
    main()
finally:
    print(sorted({"mlflow", "matplotlib", "pandas"} & sys.modules.keys()))
"""


def test_it_brings_in_nothing_that_takes_long_to_import(patient, store):
    """Of ten thousand trials it is to tell in three seconds."""
    words = [sys.executable, "-c", QUICK, "doctor", "--tracking-uri", store.uri]
    environment = {**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parent.parent)}
    told = subprocess.run(words, cwd=patient[1].parent, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["1 sweeps and comparisons examined: nothing disagrees", "[]"]


def test_where_nothing_was_ever_run_nothing_disagrees_and_nothing_is_made(tmp_path):
    assert examine(Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "runs"), tmp_path / "runs").findings == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_a_dead_process_left_running(doctor, patient, plain, store):
    sweep, _, experiment = patient
    left = half(plain, experiment, sweep, sweep.plan[0].config.key)
    code, output = doctor()
    command = f"sandbox doctor --repair --tracking-uri {store.uri}"  # without the address it would be of another store
    assert (code, f"1 runs in MLflow were left RUNNING. next: {command}\n" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    assert plain.get_run(left).info.status == "KILLED"
    assert doctor()[0] == 0


def test_a_run_that_a_writer_has_in_hand_is_left_alone(doctor, patient, plain, store, make_run):
    """Even when its driver has died: the file's lock says so."""
    sweep, root, experiment = patient
    spool = Spool(store.uri, root)
    path = spool.put(Entry(sweep.destination, make_run(sweep)))
    left = half(plain, experiment, sweep, make_run(sweep).tags["config_key"])
    with taken(path):
        assert "RUNNING" not in doctor("--repair")[1]
        assert plain.get_run(left).info.status == "RUNNING"
    assert "RUNNING" in doctor()[1]


def test_a_parent_that_was_left_running(doctor, patient, plain):
    _, _, experiment = patient
    (parent,) = plain.search_runs([experiment], "tags.role = 'sweep'")
    plain.update_run(parent.info.run_id, status="RUNNING")
    code, output = doctor()
    assert (code, "the parent run was left RUNNING" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    assert plain.get_run(parent.info.run_id).info.status == "FINISHED"  # all of its runs are there


def test_a_trial_of_optunas_that_was_left_running(doctor, patient):
    sweep, root, _ = patient
    study_of(sweep, root).ask()
    code, output = doctor()
    assert (code, "1 trials of Optuna's were left RUNNING" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    states = Counter(trial.state.name for trial in study_of(sweep, root).trials)
    assert states == {"COMPLETE": 4, "FAIL": 1}


def test_a_run_that_is_missing_in_mlflow(doctor, patient, plain, store):
    sweep, root, experiment = patient
    gone = children(plain, experiment, sweep)[0]
    plain.delete_run(gone.info.run_id)
    code, output = doctor("--repair")
    assert code == 1
    assert "1 planned trials are not done. next: its command, once more" in output
    assert "1 trials of Optuna's are neither in MLflow nor in the spool" in output
    assert run_sweep(sweep, store, root, quiet=True).before == 3
    assert doctor()[0] == 0


def test_trials_that_are_missing_in_optuna(doctor, patient, store):
    sweep, root, _ = patient
    lines = (root / JOURNAL).read_text().splitlines(keepends=True)
    (root / JOURNAL).write_text("".join(lines[:-2]))
    code, output = doctor()
    assert (code, "2 runs are not in Optuna's store. next: sandbox doctor --repair" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    outcome = run_sweep(sweep, store, root, quiet=True)
    assert (outcome.status, outcome.before) == ("FINISHED", 4)
    told = {trial.user_attrs["config_key"] for trial in ended_trials(study_of(sweep, root))}
    assert told == {trial.config.key for trial in sweep.plan}


def test_a_run_that_is_doubled(doctor, patient, plain, store, make_run):
    sweep, root, experiment = patient
    spool = Spool(store.uri, root)
    spool.put(Entry(sweep.destination, make_run(sweep)))
    code, output = doctor()
    assert (code, "1 files wait for " in output, "sandbox sync" in output) == (1, True, True)
    assert drain(Writer(spool, store)) == 1
    code, output = doctor()
    assert (code, "1 trials are in MLflow more than once" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    assert len(children(plain, experiment, sweep)) == 4


def test_a_file_that_cannot_be_read(doctor, patient, store, make_run):
    _, root, _ = patient
    spool = Spool(store.uri, root)
    path = spool.put(Entry(patient[0].destination, make_run(patient[0])))
    path.write_bytes(path.read_bytes()[:-100])
    drain(Writer(spool, store))
    code, output = doctor("--json")
    (finding,) = json.loads(output)["findings"]
    assert (code, finding["campaign"]) == (1, "spool")
    assert path.name in finding["what"]
    assert "it is torn" in finding["what"]
    next(iter(spool.rejected())).unlink()
    assert doctor()[0] == 0


def test_a_sweep_that_runs_in_another_process_is_left_alone(doctor, patient, plain):
    sweep, root, experiment = patient
    left = half(plain, experiment, sweep, sweep.plan[0].config.key)
    words = [sys.executable, "-c", HOLD, str(lock_of(sweep.id, root))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        code, output = doctor("--repair")
        assert (code, f"{sweep.id}: runs in another process, left alone" in output) == (0, True)
        assert plain.get_run(left).info.status == "RUNNING"
    assert doctor("--repair")[0] == 0


def test_campaigns_of_another_store_are_none_of_its_business(small, patient, store, tmp_path):
    _, root, _ = patient
    sweep = small("elsewhere")
    other = Store(f"sqlite:///{tmp_path}/other.db", root)
    assert run_sweep(sweep, other, root, quiet=True, writers=1).status == "FINISHED"
    seen = examine(store, root)
    assert (len(seen.campaigns), seen.findings) == (1, [])
    assert examine(other, root).campaigns == [sweep.id]


def test_looking_changes_nothing(doctor, patient):
    """Without --repair no study is made, and no file is written but locks."""
    _, root, _ = patient

    def content():
        return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "lock" not in path.name}

    (root / JOURNAL).unlink()
    before = content()
    code, output = doctor()
    assert (code, "4 runs are not in Optuna's store" in output) == (1, True)
    assert content() == before


def test_a_sampler_that_learns_asks_again_for_what_was_lost(small, tmp_path, store):
    sweep = small("doctor tpe", space={"learning_rate": Range(0.1, 10.0)}, sampler="tpe", trials=2, seeds=1)
    lost, _ = next(Study(sweep, tmp_path, {}).jobs())
    outcome = run_sweep(sweep, store, tmp_path, quiet=True)
    assert (outcome.status, outcome.done) == ("FINISHED", 2)
    assert lost.config.key in {trial.user_attrs["config_key"] for trial in ended_trials(study_of(sweep, tmp_path))}
    assert examine(store, tmp_path).findings == []


DAMAGE = {
    "garbage": lambda lines: [*lines[:2], b"garbage\n", *lines[3:]],
    "a number": lambda lines: [*lines[:2], b"5\n", *lines[3:]],
    "no study": lambda lines: [*lines[:1], b"{}\n", *lines[1:]],
    "another operation": lambda lines: [*lines, b'{"op_code":99,"worker_id":"x"}\n', *lines[-1:]],
    "bytes": lambda lines: [b"\xff\x00\n", *lines],
    "emptied": lambda lines: [],
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("by", ["the doctor", "its command"])
def test_a_journal_that_cannot_be_read_is_made_anew_from_mlflow(kind, by, doctor, patient, store):
    sweep, root, _ = patient
    journal = root / JOURNAL
    journal.write_bytes(b"".join(DAMAGE[kind](journal.read_bytes().splitlines(keepends=True))))
    code, output = doctor()
    assert (code, output.count(sweep.id), output.count("next: sandbox doctor --repair")) == (1, 1, 1)
    if by == "the doctor":
        assert doctor("--repair")[0] == 0
    else:
        outcome = run_sweep(sweep, store, root, quiet=True)
        assert (outcome.status, outcome.done, outcome.before) == ("FINISHED", 4, 4)
    assert doctor()[0] == 0
    told = [trial.user_attrs["config_key"] for trial in ended_trials(study_of(sweep, root))]
    assert sorted(told) == sorted(trial.config.key for trial in sweep.plan)
    assert list(root.glob(f"{JOURNAL}.aside-*")) or kind == "emptied"


def test_a_directory_in_the_place_of_the_journal(doctor, patient, store):
    _, root, _ = patient
    (root / JOURNAL).unlink()
    (root / JOURNAL).mkdir()
    assert doctor()[0] == 1
    assert doctor("--repair")[0] == 0


def test_a_trial_that_is_twice_in_optuna(doctor, patient):
    sweep, root, _ = patient
    study = study_of(sweep, root)
    study.add_trial(ended_trials(study)[0])
    code, output = doctor()
    assert (code, "1 trials are in Optuna's store more than once" in output) == (1, True)
    assert doctor("--repair")[0] == 0
    assert len(ended_trials(study_of(sweep, root))) == 4


def test_a_trial_that_optuna_alone_knows_beside_a_whole_sweep(doctor, patient):
    sweep, root, _ = patient
    study = study_of(sweep, root)
    stranger = ended_trials(study)[0]
    study.add_trial(create_trial(value=0.1, user_attrs={**stranger.user_attrs, "config_key": "0123456789abcdef"}))
    code, output = doctor()
    line = "1 trials of Optuna's are neither in MLflow nor in the spool. next: sandbox doctor --repair"
    assert (code, line in output) == (1, True)
    assert doctor("--repair")[0] == 0
    assert len(ended_trials(study_of(sweep, root))) == 4


def test_a_second_parent_is_named_and_its_runs_are_put_below_the_first(doctor, patient, plain, store, small):
    sweep, _, experiment = patient
    first = children(plain, experiment, sweep)[0]
    parent = first.data.tags["mlflow.parentRunId"]
    tags = {**plain.get_run(parent).data.tags, "sweep": sweep.id}
    second = plain.create_run(experiment, tags={key: text for key, text in tags.items() if "mlflow" not in key})
    plain.set_terminated(second.info.run_id)
    plain.set_tag(first.info.run_id, "mlflow.parentRunId", second.info.run_id)
    code, output = doctor()
    assert code == 1
    assert "1 other parent runs are in MLflow beside the first" in output
    assert "1 runs are not below the parent run" in output
    assert doctor("--repair")[0] == 0
    assert plain.get_run(first.info.run_id).data.tags["mlflow.parentRunId"] == parent
    assert plain.get_run(second.info.run_id).info.lifecycle_stage == "deleted"
    assert doctor()[0] == 0


def test_a_parent_that_was_deleted_comes_back_with_its_runs(doctor, patient, plain, store):
    sweep, root, experiment = patient
    parent = children(plain, experiment, sweep)[0].data.tags["mlflow.parentRunId"]
    plain.delete_run(parent)
    code, output = doctor()
    assert (code, "4 runs are not below the parent run" in output, "the parent run is gone" in output) == (
        1,
        True,
        True,
    )
    assert doctor("--repair")[0] == 0
    assert plain.get_run(parent).info.lifecycle_stage == "active"
    assert doctor()[0] == 0
    plain.delete_run(parent)
    outcome = run_sweep(sweep, store, root, quiet=True)  # its command brings it back too
    assert (outcome.status, outcome.done) == ("FINISHED", 4)
    assert plain.get_run(parent).info.lifecycle_stage == "active"
    assert doctor()[0] == 0


def test_artifacts_that_were_deleted_are_missed_and_made_again(doctor, patient, plain, store):
    sweep, root, experiment = patient
    bare = children(plain, experiment, sweep)[0].info
    place = Path(bare.artifact_uri)
    kept = place.with_name("kept")
    shutil.copytree(place, kept)
    (place / "boundary.png").unlink()
    try:
        code, output = doctor()
        assert (code, "1 runs have lost artifacts" in output) == (1, True)
        code, output = doctor("--repair")
        assert (code, "1 planned trials are not done. next: its command, once more" in output) == (1, True)
        outcome = run_sweep(sweep, store, root, quiet=True)
        assert (outcome.status, outcome.before) == ("FINISHED", 3)
        assert doctor()[0] == 0
    finally:
        shutil.rmtree(place)
        kept.rename(place)


def test_a_note_by_newer_code_and_one_that_is_none(doctor, patient, store):
    sweep, root, _ = patient
    path = note_path(sweep.id, root)
    note = json.loads(path.read_text())
    path.write_text(json.dumps({**note, "colour": "blue"}))
    assert doctor()[0] == 0
    for text in (
        "",
        "{",
        "[]",
        '{"campaign": "../x", "experiment": "doctor", "total": 4}',
        json.dumps({**note, "keys": 5}),
    ):
        path.write_text(text)
        code, output = doctor()
        assert code == 1
        assert output.startswith(
            f"{sweep.id}: its note {path.relative_to(root.parent)} cannot be read. next: its command"
        )
    assert run_sweep(sweep, store, root, quiet=True).status == "FINISHED"
    assert doctor()[0] == 0


def test_a_campaign_that_nobody_wants_to_finish_can_be_forgotten(doctor, patient, plain, here_in):
    sweep, root, experiment = patient
    plain.delete_run(children(plain, experiment, sweep)[0].info.run_id)
    assert doctor()[0] == 1
    code, output = doctor("--forget", sweep.id)
    assert (code, output) == (0, "0 sweeps and comparisons examined: nothing disagrees\n")
    assert known_study(sweep.id, sweep.goal.words, root) is None
    assert len(children(plain, experiment, sweep)) == 3  # MLflow keeps its runs
    code, _, errors = here_in(root.parent, "doctor", "--forget", sweep.id)
    assert (code, errors) == (2, f"error: {sweep.id} cannot be forgotten: no sweep or comparison is known here\n")


def test_a_file_that_was_set_aside_is_tried_again_or_kept_out_of_sight(doctor, patient, store, make_run, plain):
    sweep, root, experiment = patient
    spool = Spool(store.uri, root)
    gone = children(plain, experiment, sweep)[0].info.run_id
    plain.delete_run(gone)
    job = next(one for one in sweep.plan if one.config.key == plain.get_run(gone).data.tags["config_key"])
    (entry,) = [Entry(sweep.destination, record) for _, record in work([sweep.job(job, 0)])]
    good = spool.set_aside(spool.put(entry), "a fault that is over")
    bad = spool.directory / "rejected" / "1-1-x.run"
    bad.write_bytes(b"half a zip")
    code, output = doctor()
    assert (code, output.count("was set aside")) == (1, 2)
    assert doctor("--repair")[0] == 0
    assert len(children(plain, experiment, sweep)) == 4
    assert (good.exists(), bad.exists(), bad.with_suffix(".unreadable").exists()) == (False, False, True)


def test_a_note_of_a_campaign_says_what_it_was_to_come_to(patient):
    sweep, root, _ = patient
    (note,), broken = Note.all(root)
    assert broken == []
    assert (note.campaign, note.experiment, note.total) == (sweep.id, "doctor", 4)
    assert note.keys == [trial.config.key for trial in sweep.plan]
