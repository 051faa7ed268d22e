"""A network as a file: NumPy's .npz without pickle, written whole or not at all."""

import io
import os
from os import PathLike
from pathlib import Path

import numpy as np

from sandbox.errors import RequestError

FORMAT = "sandbox network 1"
WANTED = {  # name -> kinds of dtype, axes (None: one or more)
    "format": ("U", 0),
    "sizes": ("iu", 1),
    "activations": ("U", 1),
    "parameters": ("f", None),
    "epoch": ("iu", 0),
}


def content_of(**arrays: object) -> bytes:
    """The arrays of `WANTED`, and perhaps others, as a file's content."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, format=np.array(FORMAT), **{k: np.asarray(v) for k, v in arrays.items()})
    return buffer.getvalue()


def write_arrays(path: str | PathLike[str], **arrays: object) -> None:
    """Write the arrays of `WANTED` to `path`, replacing a file that is there in one step."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content_of(**arrays))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of a file that `write_arrays` wrote. Raises RequestError for one that is not there, damaged or foreign."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from None
    return arrays_of(content, path)


def arrays_of(content: bytes, path: object) -> dict[str, np.ndarray]:
    """The arrays of `WANTED` in the content of the file `path`. Raises RequestError likewise."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in WANTED}
    except Exception:  # whatever zipfile, zlib and NumPy raise for bytes that they did not expect
        raise RequestError(f"{path}: damaged, or not the file of a network") from None
    for name, (kinds, axes) in WANTED.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or (array.ndim != axes if axes is not None else array.ndim == 0):
            raise RequestError(f"{path}: {name} is an array of {array.dtype} {array.shape}: not the file of a network")
    if arrays["format"] != FORMAT:
        raise RequestError(f"{path}: its format is {str(arrays['format'])!r}, not {FORMAT!r}")
    if len(arrays["sizes"]) < 2 or arrays["sizes"].min() < 1:
        raise RequestError(f"{path}: layers {arrays['sizes'].tolist()} are those of no network")
    if arrays["epoch"] < 0:
        raise RequestError(f"{path}: epoch {arrays['epoch']} is none")
    return arrays
