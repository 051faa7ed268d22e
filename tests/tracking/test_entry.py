import json
import math
import subprocess
import sys
from typing import Any

import pytest

from sandbox.tracking import Record

ENDED = {"name": "a run", "status": "FINISHED", "start_time": 1, "end_time": 2}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.75e308, -1.75e308])
def test_a_value_that_mlflow_would_change_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"metric 'cost' is .* at step 7"):
        Record(**ENDED, metrics=[("cost", 1.0, 0), ("cost", value, 7)])


def test_two_values_at_one_step_are_refused():
    with pytest.raises(ValueError, match="'cost' has two values at step 3"):
        Record(**ENDED, metrics=[("cost", 1.0, 3), ("cost", 1.0, 3)])


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match=r"RUNNING.*FINISHED, KILLED, FAILED"):
        Record(**{**ENDED, "status": "RUNNING"})


@pytest.mark.parametrize("path", ["/etc/x.png", "../x.png", "a/../../x.png"])
@pytest.mark.parametrize("kind", ["image", "file"])
def test_an_image_or_a_file_stays_inside_its_run(path, kind):
    part: dict[str, Any] = {f"{kind}s": {path: b""}}
    with pytest.raises(ValueError, match=f"{kind} .*inside the run"):
        Record(**ENDED, **part)


def test_importing_the_room_does_not_import_mlflow():
    code = "import sys, sandbox.tracking, json; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"mlflow", "pandas", "PIL", "optuna"} & set(json.loads(output))
