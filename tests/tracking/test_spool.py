"""The spool's files: whole or not at all, read back bit for bit, and harmless whoever wrote them."""

import io
import json
import os
import pickle
import random
import stat
import subprocess
import sys
import time
import zipfile

import pytest

from sandbox.tracking.entry import Destination, Entry, SpoolError, key_of, pack, read
from sandbox.tracking.spool import Spool, taken

PLACE = Destination(
    "rates", "What rates do.", "s1", {"role": "sweep"}, {"base.epochs": "50"}, {"objective": "min:cost"}
)


@pytest.fixture
def spool(tmp_path):
    return Spool(f"sqlite:///{tmp_path}/nowhere.db", tmp_path).open()


@pytest.fixture
def whole(make_record):
    files = {"table.csv": b"a,b\n1,2\n", "deep/er/noise.bin": bytes(range(256)) * 40}
    metrics = [("cost", 0.1 + 0.2, 0), ("cost", 5e-324, 1), ("cost", 1e300 / 3, 2), ("final_cost", -0.0, 0)]
    return make_record(files=files, metrics=metrics, params={"crosses": 'x1*x2, "ü"\n', "none": ""})


def archive(path, head=None, parts=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        if head is not None:
            file.writestr("entry.json", head if isinstance(head, str) else json.dumps(head))
        for name, content in parts:
            file.writestr(name, content)


def test_a_record_comes_back_bit_for_bit(spool, whole):
    path = spool.put(Entry(PLACE, whole))
    assert read(path) == Entry(PLACE, whole)
    assert [value.hex() for _, value, _ in read(path).record.metrics] == [value.hex() for _, value, _ in whole.metrics]
    assert spool.files() == [path]
    assert (spool.count(), read(path).key) == (1, "lr=0.1")


def test_the_note_of_the_store_is_its_owners_alone(tmp_path):
    spool = Spool("postgresql://me:secret@host/db", tmp_path).open()
    notes = [path for path in spool.directory.iterdir() if "secret" in path.read_text()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in notes] == [0o600]
    assert [one.uri for one in Spool.all(tmp_path)] == [spool.uri]


def test_the_end_of_a_campaign_comes_back_too_and_is_none_of_its_runs(spool, make_record):
    record = make_record("s1", status="KILLED", metrics=[("runs", 3.0, 3)], tags={"best": "rate=0.1"})
    end = Entry(PLACE, record, closing=True)
    assert read(spool.put(end)) == end
    assert list(spool.entries("s1")) == []


def test_the_oldest_comes_first_and_a_draft_is_never_read(spool, make_record):
    paths = [spool.put(Entry(PLACE, make_record(name=str(number)))) for number in range(5)]
    draft = spool.directory / f"00000000000000000000-{os.getpid()}-x.draft"
    draft.write_bytes(pack(Entry(PLACE, make_record())).content)
    assert spool.files() == paths
    assert [entry.record.name for entry in spool.entries("s1")] == list("01234")
    assert list(spool.entries("s2")) == []


def test_what_a_dead_process_left_half_done_is_tidied_up_and_what_a_live_one_does_is_not(spool, make_record):
    child = subprocess.Popen(["true"])
    child.wait()
    path = spool.put(Entry(PLACE, make_record()), perhaps_logged=True)
    names = {number: f"00000000000000000001-{number}-x" for number in (child.pid, os.getpid())}
    for name in names.values():
        (spool.directory / f"{name}.draft").write_bytes(b"half")
        (spool.directory / f"{name}.begun").touch()
    (spool.directory / "foreign.draft").touch()
    (spool.directory / f"scratch-{child.pid}").mkdir()
    (spool.directory / f"scratch-{child.pid}" / "cost.png").write_bytes(b"png")
    mine = spool.scratch()
    spool.tidy()
    left = {one.name for one in spool.directory.iterdir()}
    living = names[os.getpid()]
    assert left == {"store.json", path.name, spool.mark(path).name, f"{living}.draft", f"{living}.begun", mine.name}


def test_spools_of_several_stores_are_told_apart(tmp_path):
    uris = [f"sqlite:///{tmp_path}/a.db", "http://127.0.0.1:5000"]
    made = {Spool(uri, tmp_path).open().directory for uri in uris}
    assert {spool.uri for spool in Spool.all(tmp_path)} == set(uris)
    assert {spool.directory for spool in Spool.all(tmp_path)} == made
    (sorted(made)[0] / "store.json").write_text("{")
    assert len(Spool.all(tmp_path)) == 1


def test_the_key_of_a_run_is_its_configs_behind_role_and_arm_where_it_has_a_role():
    assert key_of({"config_key": "k", "arm": "rate=0.1", "sweep": "s"}) == "k"
    assert key_of({"config_key": "k", "role": "final", "arm": "deep"}) == "final/deep/k"
    assert key_of({"sweep": "s", "role": "sweep"}) == ""


def test_only_one_has_a_file_at_a_time(spool, make_record):
    path = spool.put(Entry(PLACE, make_record()))
    assert spool.in_hand() == set()
    with taken(path) as first, taken(path) as second:
        assert (first, second) == (True, False)
        assert spool.in_hand() == {"lr=0.1"}
    spool.remove(path)
    with taken(path) as mine:
        assert not mine


class Bomb:
    def __reduce__(self):
        return (os.system, ("touch /tmp/a-spool-file-has-run",))


HEAD = {
    "destination": {"experiment": "rates", "campaign": "s1"},
    "record": {"name": "x", "status": "FINISHED", "start_time": 0, "end_time": 1, "metrics": []},
    "closing": False,
}


def changed(**fields):
    return {**HEAD, "record": {**HEAD["record"], **fields}}


HOSTILE = {
    "nothing": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("a letter\n" * 100),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Bomb())),
    "a zip with a pickle": lambda path: archive(path, None, [("entry.json", pickle.dumps(Bomb()))]),
    "a zip of something else": lambda path: archive(path, None, [("readme", b"hello")]),
    "a path that climbs": lambda path: archive(path, HEAD, [("files/../../../evil.txt", b"evil")]),
    "a path from the root": lambda path: archive(path, HEAD, [("images//etc/evil", b"evil")]),
    "no path": lambda path: archive(path, HEAD, [("files/", b"evil")]),
    "a part that nobody knows": lambda path: archive(path, HEAD, [("code/run.py", b"import os")]),
    "a bomb": lambda path: archive(path, HEAD, [("files/zeros", bytes(10**7))], zipfile.ZIP_DEFLATED),
    "json too deep": lambda path: archive(path, "[" * 100_000),
    "a step that is none": lambda path: archive(path, HEAD, [("slider/first/boundary", b"png")]),
    "an infinite step": lambda path: archive(path, json.dumps(changed(metrics=[["cost", 1, 1e999]]))),
    "an infinite cost": lambda path: archive(path, json.dumps(changed(metrics=[["cost", float("inf"), 1]]))),
    "two values at a step": lambda path: archive(path, changed(metrics=[["cost", 1, 1], ["cost", 2, 1]])),
    "an unknown status": lambda path: archive(path, changed(status="RUNNING")),
    "a time that is text": lambda path: archive(path, changed(start_time="now")),
    "params that are no text": lambda path: archive(path, changed(params={"hidden": [8, 8]})),
    "tags that are a list": lambda path: archive(path, changed(tags=["sweep"])),
    "a field that nobody knows": lambda path: archive(path, changed(run="rm -rf")),
    "the end of a parent without a parent": lambda path: archive(
        path, {**HEAD, "destination": {"experiment": "x"}, "closing": True}
    ),
    "an end that is neither yes nor no": lambda path: archive(path, {**HEAD, "closing": "no"}),
    "no record": lambda path: archive(path, {**HEAD, "record": None}),
    "nowhere to go": lambda path: archive(path, {**HEAD, "destination": {"experiment": ""}}),
}


def test_what_these_are_made_from_is_ours(tmp_path):
    archive(tmp_path / "x.run", HEAD)
    entry = read(tmp_path / "x.run")
    assert (entry.destination.campaign, entry.record.name, entry.closing) == ("s1", "x", False)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_not_ours_is_an_error_of_one_kind(kind, tmp_path, spool):
    path = tmp_path / "x.run"
    HOSTILE[kind](path)
    with pytest.raises(SpoolError, match=r"x\.run"):
        read(path)
    assert not os.path.exists("/tmp/a-spool-file-has-run")
    assert {one.name for one in tmp_path.iterdir()} == {"x.run", "spool"}


def test_a_file_that_is_torn_or_has_a_wrong_bit_anywhere_is_found(spool, whole, tmp_path):
    """Zip checks every part; what is outside the parts (names, times) may change, the content may not."""
    content = spool.put(Entry(PLACE, whole)).read_bytes()
    luck = random.Random(5)
    path = tmp_path / "x.run"
    for _ in range(60):
        path.write_bytes(content[: luck.randrange(len(content))])
        with pytest.raises(SpoolError):
            read(path)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = [info for info in file.infolist() if info.file_size]
    for _ in range(60):
        info = luck.choice(parts)
        start = info.header_offset + 30 + len(info.filename)
        place = start + luck.randrange(info.file_size)
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << luck.randrange(8)]) + content[place + 1 :])
        with pytest.raises(SpoolError):
            read(path)


def test_what_has_a_files_name_and_is_none_is_set_aside(spool, make_record):
    path = spool.put(Entry(PLACE, make_record()))
    os.mkfifo(spool.directory / "1-1-pipe.run")
    (spool.directory / "1-1-directory.run").mkdir()
    (spool.directory / "1-1-loose.run").symlink_to("nowhere")
    assert spool.files() == [path]
    spool.tidy()
    assert {one.name for one in spool.rejected()} == {"1-1-pipe.run", "1-1-directory.run", "1-1-loose.run"}
    assert spool.files() == [path]


def test_a_disk_without_room_leaves_nothing_half_written(spool, whole):
    spool.put(Entry(PLACE, whole))
    before = {one.name for one in spool.directory.iterdir()}
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
    script = limit + (
        "import sys; from pathlib import Path\n"
        "from sandbox.tracking.entry import Destination, Entry, read\n"
        "from sandbox.tracking.spool import Spool\n"
        "entry = read(next(Path(sys.argv[1]).glob('*.run')))\n"
        "try:\n    Spool('sqlite:///nowhere.db', Path(sys.argv[2])).put(entry, perhaps_logged=True)\n"
        "except OSError as error:\n    print('no room:', error.errno)\n"
    )
    words = [sys.executable, "-c", script, str(spool.directory), str(spool.directory.parent.parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "no room: 27\n"  # EFBIG: the file may not grow
    assert {one.name for one in spool.directory.iterdir()} == before
    assert all(stat.S_ISREG(one.stat().st_mode) for one in spool.directory.iterdir())


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"5", b'{"uri": 5, "artifacts": ""}', b'{"uri": ""}', b"\xff\x00"])
def test_a_note_that_is_lost_is_written_again_by_who_knows_the_store(note, spool, make_record):
    spool.put(Entry(PLACE, make_record()))
    (spool.directory / "store.json").write_bytes(note)
    assert Spool.all(spool.root) == []
    assert Spool.strangers(spool.root) == [spool.directory]
    (found,) = Spool.all(spool.root, spool.uri)
    assert (found.directory, found.count()) == (spool.directory, 1)
    (again,) = Spool.all(spool.root)
    assert (again.uri, Spool.strangers(spool.root)) == (spool.uri, [])


def test_files_that_wait_for_nobody_knows_which_store_are_named_and_can_be_sent_to_one(
    here, spool, make_record, tmp_path
):
    spool.put(Entry(PLACE, make_record()))
    (tmp_path / "runs" / "spool").mkdir(parents=True)
    stranger = spool.directory.rename(tmp_path / "runs" / "spool" / "abc")
    (stranger / "store.json").write_text("")
    code, output, errors = here("sync")
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert "runs/spool/abc/store.json cannot be read. next: sandbox sync --tracking-uri URI" in errors
    code, output, _ = here("doctor")
    assert (code, "files in runs/spool/abc wait for nobody knows which store" in output) == (1, True)
    code, output, _ = here("sync", "--tracking-uri", "sqlite:///runs/mlflow.db")
    assert (code, output.startswith("1 runs logged to sqlite:///")) == (0, True)
    assert here("sync")[:2] == (0, "the spool is empty\n")
    assert here("doctor")[0] == 0


def test_the_disk_is_asked_to_keep_what_was_put_for_a_tenth_of_the_time_at_most(spool, make_record, monkeypatch):
    synced, entry = [], Entry(PLACE, make_record())

    def slow(path):
        synced.append(path)
        time.sleep(0.05)

    monkeypatch.setattr("sandbox.tracking.spool.sync", slow)
    begun = time.monotonic()
    while time.monotonic() - begun < 2.0:
        spool.put(entry)
        time.sleep(0.05)
    assert 2 <= len(synced) < 30  # of about 40 files and as many names
    spool.sync()
    assert set(spool.files()) <= set(synced)
    assert synced[-1] == spool.directory
