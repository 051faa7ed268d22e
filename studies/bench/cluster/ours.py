# pyright: reportMissingImports=false
"""Our ways: a sweep in this process, and the same on a Dask cluster of worker processes."""

from sandbox.sweeps import run_sweep
from studies.bench.cluster.work import CORES, Work


def here(work: Work, again: bool) -> bool:
    """Populations train in this process, and a writer logs."""
    work.store.check()
    work.ready.touch()
    return run_sweep(work.sweep, work.store, work.root, quiet=True).status == "FINISHED"


def on_dask(work: Work, again: bool) -> bool:
    """The same, trained and drawn by two workers with one thread each."""
    from dask.distributed import Client, LocalCluster

    work.store.check()
    options = {"dashboard_address": None, "local_directory": str(work.root / "dask"), "silence_logs": "ERROR"}
    workers = LocalCluster(n_workers=CORES, threads_per_worker=1, processes=True, **options)
    with workers, Client(workers) as client:
        client.wait_for_workers(CORES)
        work.ready.touch()
        outcome = run_sweep(work.sweep, work.store, work.root, executor=client.get_executor(), quiet=True)
    return outcome.status == "FINISHED"
