"""What may happen to a file: a disk's errors, a crash's, another version's, and somebody's who means harm."""

import copy
import io
import json
import math
import shutil
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import Any

DEEP = "@deep"  # becomes lists within lists, which no JSON of Python's could write
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**31, 2**63, 2**70, -(2**70), 1e308, 5e-324, math.nan, math.inf, -math.inf, ""),
    *(" ", "\0", "a\0b", "\ud800", "a\udfffb", "x" * 300, "x" * 100_000, "é", "😀", "../x", "/x", "'", "' and \""),
    *("two\nlines", "NaN", "2", "none", [], {}, [[]], {"a": {}}, {"": None}, DEEP, ["cost", math.nan, 0]),
    ["cost", 1, 0],
]
MEMBERS = [
    *("../x", "/x", "images/../../x.png", "images/", "images", "files/.", "files/..", "slider/x/boundary", "junk/x"),
    *("slider/-1/boundary", f"slider/{10**20}/boundary", "slider/1/", "slider/1/a/b", "slider/1"),
    *(f"images/{'x' * 300}", "images/cost.png/x", "images/a/b/c.png", "files/ü😀", "files/' and \""),
    *("files/two\nlines", "images/images/x.png", "entry.json", "files/a\\b", "slider/1/é/x", f"files/{'a/' * 200}x"),
    *("files/images", "slider/0/../x", "files//x"),
]


def spoil_bytes(content: bytes, luck: Random) -> bytes:
    """What a disk makes of a file."""
    size, start = len(content), luck.randrange(len(content) + 1)
    end = min(size, start + luck.choice([1, 4, 64, 512, 4096]))
    how = luck.randrange(9)
    if how == 0:
        return content[:start]
    if how == 1:
        return content[start:]
    if how == 2:
        return content[:start] + bytes(end - start) + content[end:]
    if how == 3:
        return content[:start] + luck.randbytes(end - start) + content[end:]
    if how == 4:
        return content[:start] + content[end:]
    if how == 5:
        return content[:start] + content[start:end] + content[start:]
    if how == 6:
        return luck.choice(
            [b"", b"\n", b"\0" * 100, b"no such file\n", b"\xff\xfe", b"{}", b"[]", b"null", content * 2]
        )
    if how == 7:
        return content + luck.choice([b"\n", b"\0", b"{", b"{}\n", luck.randbytes(50), b"\xff\n"])
    flipped = bytearray(content)
    for _ in range(min(size, luck.choice([1, 1, 8]))):
        flipped[luck.randrange(size)] ^= 1 << luck.randrange(8)
    return bytes(flipped)


def spoil_json(text: str, luck: Random) -> str:
    """The same JSON with something in it that is none of ours: one or two values, kinds or keys."""
    value = json.loads(text)
    for _ in range(luck.choice([1, 1, 1, 2])):
        value = _spoilt(value, luck)
    return json.dumps(value).replace(json.dumps(DEEP), "[" * 5000 + "]" * 5000)


def _spoilt(value: Any, luck: Random) -> Any:
    if not isinstance(value, dict | list) or not value or luck.random() < 0.05:
        return _foreign(luck)
    key: Any = luck.choice(list(value)) if isinstance(value, dict) else luck.randrange(len(value))
    how = luck.choices(["within", "drop", "add", "swap"], [8, 1, 1, 1])[0]
    if how == "within":
        value[key] = _spoilt(value[key], luck)
    elif how == "drop":
        del value[key]
    elif how == "add":
        _add(value, luck)
    else:
        other = luck.choice(list(value)) if isinstance(value, dict) else luck.randrange(len(value))
        value[key], value[other] = value[other], value[key]
    return value


def _add(value: dict | list, luck: Random) -> None:
    if isinstance(value, list):
        value.insert(luck.randrange(len(value)), luck.choice([_foreign(luck), copy.deepcopy(luck.choice(value))]))
    else:
        value[luck.choice(["unknown", "", "\0", "\ud800", "x" * 300, "a.b", "é"])] = _foreign(luck)


def _foreign(luck: Random) -> Any:
    """A copy: what is spoilt next may be in it."""
    return copy.deepcopy(luck.choice(VALUES))


def spoil_entry(content: bytes, luck: Random) -> bytes:
    """A spool's file with damage to its bytes, to what it says, or to its parts."""
    how = luck.choices(["bytes", "json", "parts"], [3, 5, 3])[0]
    if how == "bytes":
        return spoil_bytes(content, luck)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    compressed = -1
    if how == "json":
        parts[0] = (parts[0][0], spoil_json(parts[0][1].decode(), luck).encode())
    else:
        place, other = luck.randrange(len(parts)), luck.randrange(len(parts))
        (name, inside), (_, another) = parts[place], parts[other]
        what = luck.choice(["name", "add", "drop", "swap", "spoil", "compress"])
        if what == "name":
            parts[place] = (luck.choice(MEMBERS), inside)
        elif what == "add":
            parts.append((luck.choice(MEMBERS), inside))
        elif what == "drop":
            del parts[place]
        elif what == "swap":
            parts[place] = (name, another)
        elif what == "spoil":
            parts[place] = (name, spoil_bytes(inside, luck))
        else:
            compressed = place
    return _zipped(parts, compressed)


def _zipped(parts: list[tuple[str, bytes]], compressed: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for number, (name, inside) in enumerate(parts):
            kind = zipfile.ZIP_DEFLATED if number == compressed else zipfile.ZIP_STORED
            info = zipfile.ZipInfo(name)
            info.compress_type = kind
            archive.writestr(info, inside)
    return buffer.getvalue()


def spoil_file(path: Path, luck: Random) -> str:
    """Spoil a file of JSON (a line or many), or any other, where it is; says how."""
    how = luck.choices(["bytes", "json", "lines", "gone", "folder", "empty"], [6, 6, 2, 1, 1, 1])[0]
    content = path.read_bytes()
    binary = content.startswith(b"SQLite")
    if how in ("gone", "folder"):
        path.unlink()
        if how == "folder":
            path.mkdir()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "bytes" or binary:
        path.write_bytes(spoil_bytes(content, luck))
    else:
        lines = content.decode().splitlines()
        place, other = luck.randrange(len(lines)), luck.randrange(len(lines))
        if how == "json":
            lines[place] = spoil_json(lines[place], luck)
        else:
            lines = luck.choice([lines[:place] + lines[place + 1 :], lines[: place + 1] + lines[other:], lines[::-1]])
        path.write_text("".join(f"{line}\n" for line in lines))
    return f"{path.name}: {'bytes' if binary and how in ('json', 'lines') else how}"


def restore(place: Path, kept: Path) -> None:
    """Put a directory back as it was kept, where it was: its paths stand in what it holds."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept, place, symlinks=True)
