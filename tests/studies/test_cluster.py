"""The study beside Ray Tune: what it counts is what is there, and our own way does the whole work."""

import pytest
from click.testing import CliRunner

from sandbox.job import work as train
from studies.bench.cluster.__main__ import main, verdicts
from studies.bench.cluster.counting import count
from studies.bench.cluster.trial import fresh, struck, timed

WHOLE = {"finished": 4, "distinct": 4, "lost": 0, "doubled": 0, "torn": 0, "left": 0}


def test_runs_are_counted_by_the_configs_that_they_say():
    with fresh(5) as work:
        keys = {job.config.key for job in work.jobs}
        assert count(work.uri, keys)._asdict() == {**dict.fromkeys(WHOLE, 0), "lost": 5, "values": 0, "files": 0}
        store, experiment = work.store, work.store.experiment("cluster")
        records = [record for _, record in train(work.jobs[:3])]
        for record in [*records, records[0], records[0]]:
            store.log(record, experiment)
        for status in ("FINISHED", "RUNNING"):  # of the fourth: one run that looks whole, and one that nobody ended
            run = store.client.create_run(experiment)
            for name, text in work.jobs[3].config.params().items():
                store.client.log_param(run.info.run_id, name, text)
            if status == "FINISHED":
                store.client.set_terminated(run.info.run_id)
        store.client.create_run(experiment)  # of no config
        counted = count(work.uri, keys)
        deleted = count(work.uri, keys - {work.jobs[0].config.key})
    metrics = {(name, step) for name, _, step in records[0].metrics}
    files = len(records[0].images) + len(records[0].files) + 2 * len(records[0].slider["boundary"])
    assert counted == (6, 4, 1, 2, 1, 1, len(metrics), files)
    assert deleted[:6] == (3, 3, 1, 0, 1, 1)


def test_our_way_in_a_process_of_its_own_does_the_whole_work():
    row = timed("e", 4, cap=120.0, server=False)
    assert {**row, **WHOLE, "ended": "done"} == row, row["words"]
    assert 0 < row["start-up"] < row["seconds"]
    assert row["MiB"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["driver", "worker"])
def test_whoever_is_killed_every_config_is_there_once(whom):
    row = struck("e", 24, whom, cap=120.0, server=False)
    assert (row["ended"], "again" in row) == (("killed", True) if whom == "driver" else ("done", False))
    last = " then" if "again" in row else ""
    assert [row[name + last] for name in ("finished", "lost", "doubled", "torn")] == [24, 0, 0, 0]


def test_verdicts_are_of_medians_and_of_what_a_way_that_was_cut_would_have_taken():
    rows = [
        {"runs": 200, "way": way, "seconds": seconds, "all there": there, "estimate": estimate}
        for way, seconds, there, estimate in [
            ("a: ", 900.0, None, 4000.0),
            ("b: ", 90.0, 80.0, None),
            ("e: ", 20.0, 10.0, None),
            ("e: ", 40.0, 30.0, None),
        ]
    ]
    found = [(row.peer, row.ours, row.theirs, row.at_most) for row in verdicts(rows)]
    documented, careful = "Ray Tune, as documented", "Ray Tune, carefully"
    assert found == [
        (documented, 20.0, 4000.0, None),
        (careful, 20.0, 80.0, 1 / 3),
        (documented, 30.0, 4000.0, None),
        (careful, 30.0, 90.0, 1 / 3),
    ]


@pytest.mark.parametrize("words", [["--ways", "z"], ["--sizes", "20,many"]])
def test_what_cannot_be_is_refused_before_anything_runs(words, tmp_path):
    done = CliRunner().invoke(main, [*words, "--json", str(tmp_path / "cluster.json")])
    assert (done.exit_code, [*tmp_path.iterdir()]) == (2, [])
