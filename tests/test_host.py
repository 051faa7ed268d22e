"""What a host is called: by its machine and its disk, wherever a process goes."""

from pathlib import Path

from sandbox.host import disk_of, host_of


def test_a_host_is_called_by_its_disk_from_wherever_it_is_asked(tmp_path, monkeypatch):
    names = []
    for place in ("one", "two", "one"):
        (tmp_path / place / "runs").mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(tmp_path / place)
        names.append(host_of(Path("runs")))
        assert host_of(tmp_path / place / "runs") == names[-1]
    assert names[0] == names[2] != names[1]
    assert disk_of(names[0]) == (tmp_path / "one" / "runs" / "host").read_text()
    host_of(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
