"""Lessons: each notebook runs in a real kernel, from nothing and without a warning, and what it says is what it computes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FOLDER = Path("studies", "lessons")
LESSONS = sorted((ROOT / FOLDER).glob("*.ipynb"))
# All warnings are written, as errors they would be caught; but for two that pytest leaves out as well.
LOUD = """import warnings
warnings.simplefilter("default")
warnings.filterwarnings("ignore", "unclosed database", ResourceWarning)
warnings.filterwarnings("ignore", "The ..noload.. loader strategy is deprecated", DeprecationWarning)"""
FOLDED = re.compile(
    r"<details><summary>Answer</summary>\n\n.*?```python\n(.*?)```\n\nprints\n\n```text\n(.*?)```\n\n</details>",
    re.DOTALL,
)
NUMBER = re.compile(r"\d+\.\d+|\d+(?=%)")


def read(path):
    return nbformat.read(path, as_version=4)


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def text_of(cell):
    """What a cell that ran has printed."""
    return "".join(output.get("text", "") for output in cell.outputs)


def shown(cell):
    """What it has shown, each in all the forms that it has."""
    return [output.data for output in cell.outputs if "data" in output]


def pictures_of(cell):
    return [one for one in shown(cell) if "image/png" in one or "<img" in one.get("text/html", "")]


def numbers_of(cell):
    """All that stand in its code, in what it has printed, and in its tables."""
    tables = [re.sub("<[^>]*>", " ", one.get("text/html", "")) for one in shown(cell)]
    return {number for text in (cell.source, text_of(cell), *tables) for number in NUMBER.findall(text)}


def execute(notebook, clone):
    """Run a notebook in a clone that holds nothing but it; what goes wrong comes out with the cell's traceback."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(clone / ".ipython"), "NO_COLOR": "1"}
    where = {"metadata": {"path": clone / FOLDER}}
    return NotebookClient(notebook, kernel_name="python3", timeout=300, resources=where).execute(env=environment)


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    return tmp_path


def test_there_are_six():
    assert [path.name[:2] for path in LESSONS] == [f"{number}_" for number in range(1, 7)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_short_cells_and_three_exercises_and_keeps_no_outputs(path):
    notebook = read(path)
    assert all(len(cell.source.splitlines()) <= 10 for cell in cells(notebook, "code"))
    assert "**The question:**" in notebook.cells[0].source
    assert sum(len(FOLDED.findall(cell.source)) for cell in cells(notebook, "markdown")) == 3
    assert any("run_sweep(" in cell.source for cell in cells(notebook, "code"))
    assert "make ui" in notebook.cells[-1].source + notebook.cells[-2].source
    where = (FOLDER / path.name).as_posix()  # as git has it: who learns may save what came out
    words = ["git", "show", f":{where}"]
    kept = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for cell in cells(nbformat.reads(kept, as_version=4), "code"):
        assert (cell.outputs, cell.execution_count) == ([], None)


class TestOneHalf:  # two classes, so that two processes share the work
    @pytest.mark.parametrize("path", LESSONS[:3], ids=lambda path: path.stem)
    def test_lessons_run_and_their_answers_and_numbers_are_right(self, path, clone):
        check(path, clone)


class TestTheOtherHalf:
    @pytest.mark.parametrize("path", LESSONS[3:], ids=lambda path: path.stem)
    def test_lessons_run_and_their_answers_and_numbers_are_right(self, path, clone):
        check(path, clone)


def check(path, clone):
    notebook = read(clone / FOLDER / path.name)
    said = [cell.source for cell in cells(notebook, "markdown")]
    answers = [answer for text in said for answer in FOLDED.findall(text)]
    lesson = len(notebook.cells)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code, _ in answers]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(LOUD))

    execute(notebook, clone)

    ran = cells(notebook, "code")
    assert [output for cell in ran for output in cell.outputs if output.get("name") == "stderr"] == []
    assert [text_of(cell) for cell in notebook.cells[lesson + 1 :]] == [text for _, text in answers]
    assert len([one for cell in ran for one in pictures_of(cell)]) >= 2  # one, and that of the sweep's answer
    assert set(NUMBER.findall("".join(said))) <= set().union(*map(numbers_of, ran))
    assert (clone / "runs" / "mlflow.db").exists()  # where `make ui` looks
