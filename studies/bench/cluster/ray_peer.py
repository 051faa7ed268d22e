# pyright: reportMissingImports=false
"""Ray Tune as its documentation has it and as one uses it who knows its costs; and Ray's tasks around our populations."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback

from sandbox import job
from sandbox.job import Job
from sandbox.lot import Duty
from sandbox.tracking import Store
from sandbox.tracking.artifacts import write_artifacts
from sandbox.tracking.entry import Packed
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from studies.bench.cluster.work import CORES, Work

NAME = "tune"
CONTENT = "content"  # in a trial's directory: the files that its run is to have
LARGEST, PARTS = 128, 2 * CORES  # configs of a task, and tasks at least


@contextmanager
def _engine(work: Work) -> Iterator[None]:
    """Ray on this machine, without what phones or serves pages; when it is up, the work can begin."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    work.store.check()
    quiet: dict[str, Any] = {"include_dashboard": False, "logging_level": "ERROR", "log_to_driver": False}
    ray.init(address="local", num_cpus=CORES, _temp_dir=str(work.root / "ray"), **quiet)
    try:
        work.ready.touch()
        yield
    finally:
        ray.shutdown()


def as_documented(work: Work, again: bool) -> bool:
    """`tune.report` at each point of the curve, MLflowLoggerCallback, everything else as it is by default.

    Params are the trial's config. The callback would log a trial's directory on the driver, where its loggers write and the
    trainable does not: it is told to log what the trainable has written.
    """

    def trainable(config: dict[str, Any], jobs: list[Job]) -> None:
        ((_, record),) = job.work([jobs[config["number"]]])
        write_artifacts(record, Path(tune.get_context().get_trial_dir()) / CONTENT)
        steps: dict[int, dict[str, float]] = {}
        for name, value, step in record.metrics:
            steps.setdefault(step, {})[name] = value
        for step, values in sorted(steps.items()):
            tune.report({**values, "timesteps_total": step})

    params = [one.config.params() for one in work.jobs]
    space = {name: tune.sample_from(_param(params, name)) for name in params[0]}
    with _engine(work):
        callback = _Callback(work.uri, experiment_name=work.sweep.name, tags={"sweep": work.sweep.id})
        settings = tune.RunConfig(name=NAME, storage_path=str(work.root / "results"), callbacks=[callback], verbose=0)
        space["number"] = tune.grid_search(list(range(work.count)))
        return _fit(tune.with_parameters(trainable, jobs=work.jobs), space, settings, again)


def _param(params: list[dict[str, str]], name: str) -> Callable[[dict[str, Any]], str]:
    return lambda config: params[config["number"]][name]


class _Callback(MLflowLoggerCallback):
    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        if (content := Path(trial.path) / CONTENT).is_dir():
            self.mlflow_util.save_artifacts(run_id=self._trial_runs[trial], dir=str(content))
        super().log_trial_end(trial, failed)


def carefully(work: Work, again: bool) -> bool:
    """Actors are used again, a trial reports once, and logs itself: `log_batch` and `log_artifacts` of MlflowClient.

    Tune's own loggers are off, and a trial whose worker dies has another try.
    """
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    experiment, uri, root = work.store.experiment(work.sweep.name), work.uri, str(work.root)

    def trainable(config: dict[str, Any], jobs: list[Job]) -> None:
        ((_, record),) = job.work([jobs[config["number"]]])
        _store(uri, root).log(record, experiment)
        tune.report({"final_cost": record.last().get("final_cost", 1.0)})

    with _engine(work):
        failures = tune.FailureConfig(max_failures=3)
        settings = tune.RunConfig(NAME, str(work.root / "results"), failure_config=failures, verbose=0)
        space = {"number": tune.grid_search(list(range(work.count)))}
        return _fit(tune.with_parameters(trainable, jobs=work.jobs), space, settings, again, reuse_actors=True)


_STORES: dict[str, Store] = {}


def _store(uri: str, root: str) -> Store:
    """The store of this worker, connected once."""
    return _STORES.setdefault(uri, Store(uri, root))


def _fit(trainable: Any, space: dict[str, Any], settings: Any, again: bool, **options: Any) -> bool:
    """Run all trials, or `again` those that the experiment's directory says are not done; whether none failed."""
    path = str(Path(settings.storage_path) / NAME)
    if again and tune.Tuner.can_restore(path):
        tuner = tune.Tuner.restore(path, trainable, resume_unfinished=True, restart_errored=True)
    else:
        config = tune.TuneConfig(**options)
        tuner = tune.Tuner(trainable, param_space=space, tune_config=config, run_config=settings)
    return not tuner.fit().errors


def tasks(work: Work, again: bool) -> bool:
    """Populations of up to 128 train in Ray's tasks, and our writer logs. Nobody looks what is there already."""
    spool = Spool(work.uri, work.root).open()
    duty = Duty(work.sweep.destination, work.store.signing(work.root))
    train = ray.remote(_train)
    size = max(1, min(LARGEST, math.ceil(work.count / PARTS)))
    with _engine(work), Writers(spool).start() as writers:
        under_way = [train.remote(duty, work.jobs[at : at + size]) for at in range(0, work.count, size)]
        while under_way:
            (ended, *_), under_way = ray.wait(under_way)
            for packed in ray.get(ended):
                spool.put(packed)
        return writers.wait()


def _train(duty: Duty, jobs: list[Job]) -> list[Packed]:
    return [packed for _, packed in duty.packed(jobs, threads=1)]
