"""A pandas DataFrame, or a file of one, becomes a data set."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sandbox.data.checks import FILES, TASKS
from sandbox.data.encoding import Column, Encoding, text_of
from sandbox.errors import RequestError, choose, one_line

GAPS = ("drop", "fill")
WORDS = {"standard": "standardised", "minmax": "brought to 0 to 1", "none": "as they are"}
MOST_CATEGORIES = 50  # different texts of a feature
MOST_CLASSES = 100
FEW = 20  # different whole numbers of a target: as many are still classes
LARGEST_FILE = 10**9  # bytes
LARGEST_TABLE = 10**8  # values
LEAST_ROWS = 8
OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
EXACT: dict[str, Any] = {"float_precision": "round_trip"} if OLD else {}  # as later versions read all numbers


def read_frame(path: Path) -> pd.DataFrame:
    """The table in a file, CSV or Parquet by how its name ends. Raises RequestError where there is none, in one line."""
    if not path.name.lower().endswith(FILES):
        raise RequestError(f"{path}: a file that ends in {', '.join(FILES)} is needed")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise RequestError(f"{path} has {path.stat().st_size / 1e9:.1f} GB: at most 1 is read")
        if not path.is_file():
            raise RequestError(f"{path} is no file")
        read = _read_csv if path.name.lower().endswith(".csv") else _read_parquet
        return read(path)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror or one_line(str(error))}") from None


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        if b"\0" in file.read(100_000):
            raise RequestError(f"{path} is no text in UTF-8: save it as CSV in that encoding")
    try:
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, compression=None, encoding="utf-8-sig")
        _check_names(path, ["" if name != name else name for name in header.iloc[0]])
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the names would be cut
            frame = pd.read_csv(
                path, index_col=False, low_memory=False, compression=None, encoding="utf-8-sig", **EXACT
            )
    except pd.errors.EmptyDataError:
        raise RequestError(f"{path} is empty: a line of names and a line for each example are needed") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path} is no text in UTF-8: save it as CSV in that encoding") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError, MemoryError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{path} is no CSV with commas between: {_said_by(error)}") from None
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        announced = pyarrow.parquet.read_metadata(path)
        if announced.num_rows * announced.num_columns > LARGEST_TABLE:
            raise RequestError(f"{path} has {announced.num_rows} rows: at most {LARGEST_TABLE} values are read")
        return pyarrow.parquet.ParquetFile(path).read().to_pandas()
    except RequestError:
        raise
    except Exception as error:  # whatever pyarrow and pandas raise for bytes that they did not expect
        raise RequestError(f"{path} is no Parquet file: {_said_by(error)}") from None


def _said_by(error: BaseException) -> str:
    """A library's message in one short line."""
    return one_line(str(error)).strip("'\"")


def _check_names(what: Any, names: Sequence[str]) -> None:
    """Raises RequestError for names that are empty, there twice, or that no command could give."""
    seen = set()
    for place, name in enumerate(names, 1):
        if not name.strip():
            raise RequestError(f"{what}: column {place} has no name")
        if name in seen:
            raise RequestError(f"{what}: there are two columns {one_line(name)}: rename one")
        if '"' in name or not name.isprintable():
            raise RequestError(
                f"{what}: column {place} is called {one_line(name)}: use a name without quotes and line ends"
            )
        if len(name) > 100:
            raise RequestError(
                f"{what}: the name of column {place} has {len(name)} characters: at most 100 are possible"
            )
        seen.add(name)


def parts_of(
    frame: pd.DataFrame,
    target: str,
    name: str,
    task: str | None,
    gaps: str,
    scaling: str,
    leave_out: Sequence[str],
) -> dict[str, Any]:
    """What `Dataset.from_frame` makes a Dataset of, by its fields."""
    choose("way with gaps", gaps, dict.fromkeys(GAPS))
    choose("scaling", scaling, WORDS)
    if not isinstance(frame, pd.DataFrame):
        raise RequestError(f"a pandas DataFrame is needed, not {one_line(frame)}")
    names = [str(one) for one in frame.columns]
    _check_names(name, names)
    for one in (target, *leave_out):
        choose("column", one, dict.fromkeys(names))
    kept = [one for one in names if one not in {target, *leave_out}]
    if not kept:
        raise RequestError(f"{name} has no column beside {one_line(target)}: there is nothing to learn from")
    if frame.size > LARGEST_TABLE:
        raise RequestError(f"{name} has {len(frame)} rows: at most {LARGEST_TABLE} values are read")
    values = {one: frame.iloc[:, place] for place, one in enumerate(names)}
    known = np.asarray(values[target].notna(), dtype=bool)
    labelled = {one: values[one][known] for one in (*kept, target)}
    encoding = Encoding(tuple(_column(one, labelled[one]) for one in kept))
    X = np.column_stack([one.encode(labelled[one.name].tolist()) for one in encoding.columns]) + 0.0
    with_gaps = np.array(np.isnan(X).any(axis=1), dtype=bool)
    taken = np.array(~with_gaps if gaps == "drop" else [True] * len(X), dtype=bool)
    if taken.sum() < LEAST_ROWS:
        left = "" if taken.all() else f" of {len(taken)} without gaps (--gaps fill keeps the others)"
        raise RequestError(f"{name} has {taken.sum()} rows{left}: at least {LEAST_ROWS} are needed")
    task, Y, classes = _targets(name, target, labelled[target][taken], task)
    what = [] if known.all() else [f"{(~known).sum()} without {target} dropped"]
    what += [f"{with_gaps.sum()} with gaps {'dropped' if gaps == 'drop' else 'filled'}"] if with_gaps.any() else []
    rows = f"{taken.sum()} of {len(frame)} rows" if taken.sum() < len(frame) else f"{len(frame)} rows"
    summary = [f"{rows} ({', '.join(what)})" if what else rows, *_said(encoding, scaling)]
    return {
        "X": X[taken],
        "Y": Y,
        "feature_names": encoding.features,
        "task": task,
        "class_names": classes,
        "scaling": scaling,
        "encoding": encoding,
        "summary": ", ".join(summary),
    }


def _said(encoding: Encoding, scaling: str) -> list[str]:
    numbers = sum(not one.categories for one in encoding.columns)
    texts = [one for one in encoding.columns if one.categories]
    said = [f"{numbers} number{'s' * (numbers != 1)} {WORDS[scaling]}"] if numbers else []
    if len(texts) > 5:
        return [*said, f"{len(texts)} columns of text in {sum(len(one.categories) for one in texts)} columns"]
    return [*said, *(f"{one.name} in {len(one.categories)} column{'s' * (len(one.categories) != 1)}" for one in texts)]


def _column(name: str, values: pd.Series) -> Column:
    """What a column of features is: numbers, or text. Raises RequestError for dates, and for too many texts."""
    if _are_numbers(name, values):
        return Column(name)
    texts = sorted({_text(name, one) for one in values[values.notna()].tolist()})
    if len(texts) > MOST_CATEGORIES:
        raise RequestError(
            f"column {one_line(name)} has {len(texts)} different texts: at most {MOST_CATEGORIES} become columns; "
            f"leave it out (--leave-out {name if name.isidentifier() else one_line(name)})"
        )
    return Column(name, tuple(texts))


def _are_numbers(name: str, values: pd.Series) -> bool:
    """Raises RequestError for what is neither numbers nor text."""
    kind = getattr(values.dtype, "kind", "O")
    if kind in "mMc" or isinstance(values.dtype, pd.PeriodDtype | pd.IntervalDtype):
        what = "complex numbers" if kind == "c" else "dates or times"
        raise RequestError(f"column {one_line(name)} holds {what}: make it a number, or leave it out")
    if isinstance(values.dtype, pd.CategoricalDtype):
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):  # of bool too
        return True
    return all(map(_is_number, values[values.notna()].tolist()))  # also where there are only gaps


def _is_number(value: Any) -> bool:
    """Whether a value is a number, or the text of one, as a file has it."""
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _text(name: str, value: Any) -> str:
    text = text_of(value)
    if not pd.api.types.is_scalar(value) or '"' in text or not text.isprintable() or len(text) > 100:
        raise RequestError(
            f"column {one_line(name)} has {one_line(value)}: numbers or a line of text without quotes are needed"
        )
    return text


def _targets(name: str, target: str, values: pd.Series, task: str | None) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """The task, Y (rows, outputs), and the classes. Raises RequestError where the task does not fit the target."""
    numbers = _are_numbers(target, values)
    present = (
        Column(target).encode(values.tolist())[:, 0] if numbers else [_text(target, one) for one in values.tolist()]
    )
    found, labels = np.unique(np.asarray(present), return_inverse=True)
    whole = numbers and bool(np.all(found == np.round(found)))
    if task is None:
        classes = not numbers or len(found) == 2 or (whole and len(found) <= FEW)
        task = "regression" if not classes else "binary" if len(found) == 2 else "multiclass"
    choose("task", task, dict.fromkeys(TASKS))
    its = f"column {one_line(target)} of {name}"
    if len(found) < 2:
        raise RequestError(f"{its} is {one_line(text_of(found[0]))} in every row: there is nothing to learn")
    if task == "regression":
        if not numbers:
            raise RequestError(f"{its} holds text: for regression numbers are needed")
        return task, np.asarray(present)[:, None], ()
    if task == "binary" and len(found) != 2:
        raise RequestError(f"{its} has {len(found)} different values: for the task binary 2 are needed")
    if len(found) > MOST_CLASSES:
        hint = ", or --task regression" if numbers else ""
        raise RequestError(f"{its} has {len(found)} different values: at most {MOST_CLASSES} are classes{hint}")
    rare = np.bincount(labels)
    if rare.min() < 3 or len(labels) < 4 * len(found):  # the three parts have one of each
        few = text_of(found[rare.argmin()])
        raise RequestError(
            f"{its} is {one_line(few)} in {rare.min()} rows of {len(labels)}: every class needs 3, and all 4"
        )
    Y = labels.astype(float)[:, None] if task == "binary" else np.eye(len(found))[labels]
    return task, Y, tuple(text_of(one) for one in found)
