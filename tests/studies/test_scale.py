"""The study of scale: its simulation against queues whose truth is known, and its page against what was measured."""

import json
import math
import re
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sandbox.lot import LARGEST, _size
from sandbox.tracking import Store
from sandbox.workers import Workers
from studies.scale.__main__ import MEASURED, PAGE
from studies.scale.database import Campaign, Copied, tables_of
from studies.scale.house import House, Services, simulate
from studies.scale.scenarios import scenarios
from studies.scale.simulation import Clock, Station
from studies.scale.tables import short, tables
from studies.scale.work import jobs, sweep, templates

ROOT = Path(__file__).parent.parent.parent


def test_pieces_of_work_share_the_cores():
    """Two of 1 s and one of 3 s on one core: a third each until 3 s; what is left, 2 s, is then alone."""
    clock, ends = Clock(cores=1), []
    for seconds in (1.0, 1.0, 3.0):
        clock.spend(seconds, lambda: ends.append(clock.now))
    clock.run()
    assert ends == pytest.approx([3.0, 3.0, 5.0])


def test_enough_cores_slow_nobody_down():
    for cores in (3, math.inf):
        clock, ends = Clock(cores), []
        for seconds in (1.0, 2.0, 3.0):
            clock.spend(seconds, lambda ends=ends, clock=clock: ends.append(clock.now))
        clock.run()
        assert ends == [1.0, 2.0, 3.0]


def test_the_clock_stops_in_the_middle_and_goes_on():
    clock, ends = Clock(cores=0.5), []
    clock.spend(1.0, lambda: ends.append(clock.now))
    clock.run(until=1.5)
    assert (clock.now, ends) == (1.5, [])
    clock.run()
    assert ends == pytest.approx([2.0])


def queue(rho, customers, generator, draw):
    """The mean wait at one server with mean service time 1, for customers who come at random."""
    clock, waits = Clock(), []

    def serve(taken, done):
        waits.append(clock.now - taken[0])
        station.spend(draw(), done)

    def arrive():
        station.add(clock.now)
        clock.spend(generator.exponential(1 / rho), arrive)

    station = Station(clock, serve)
    clock.spend(0.0, arrive)
    while len(waits) < customers:
        clock.run(until=clock.now + customers / rho / 10)
    return statistics.fmean(waits[customers // 10 : customers])


@pytest.mark.parametrize("rho", [0.5, 0.8])
@pytest.mark.parametrize(("squared", "exponential"), [(0.0, False), (1.0, True)])
def test_the_wait_at_a_server_is_what_pollaczek_and_khinchine_say(rho, squared, exponential):
    """rho / (1 - rho) * (1 + c^2) / 2 services, c being their coefficient of variation: of 20 repetitions, within 4
    standard errors of their mean."""
    generator = np.random.default_rng(1)
    draw = generator.standard_exponential if exponential else lambda: 1.0
    waits = np.array([queue(rho, 4000, generator, draw) for _ in range(20)])
    truth = rho / (1 - rho) * (1 + squared) / 2
    error = waits.std(ddof=1) / math.sqrt(len(waits))
    assert error < 0.1 * truth
    assert abs(waits.mean() - truth) < 4 * error


def rate(services, house, batches):
    """Runs a second between a sweep of so many batches and one of twice as many."""
    short, long = (simulate(services, house, count * house.size) for count in (batches, 2 * batches))
    return (long.runs - short.runs) / (long.seconds - short.seconds)


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 64, 256])
def test_one_driver_and_many_workers_are_as_fast_as_the_slower_of_them(workers):
    """With times that are always the same, exactly: min(W / s_train, 1 / s_driver)."""
    train, driver, size = 0.7, 0.011, 10
    services = Services(sizes=(0, size), batches=(0.0, train * size), driver=driver)
    expected = min(workers / train, 1 / driver)
    assert rate(services, House(workers, size=size), 30 * workers) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("writers", "cores"), [(1, 1), (4, 1), (4, 4), (8, 3)])
def test_writers_and_database_are_as_fast_as_the_slower_of_them(writers, cores):
    """A writer waits for the database, so that it takes both times: min(K / (w + d), C / d), in lots of 100."""
    services = Services(writer=0.004, database=0.003)
    house = House(8, writers=writers, database_cores=cores, size=100)
    expected = min(writers / 0.007, cores / 0.003)
    assert rate(services, house, 12 * writers * cores) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("workers", [1, 3])
def test_on_one_core_it_takes_as_long_as_all_of_the_work(workers):
    """A core that has anything to do is never idle: 50 ms of training, 2, 5 and 10 ms for each of 2,000 runs."""
    services = Services((0, 10), (0.0, 0.5), driver=0.002, writer=0.005, database=0.01)
    found = simulate(services, House(workers, cores=1, size=10), 2000)
    assert found.seconds == pytest.approx(2000 * 0.067)
    assert {name: round(part * found.seconds, 6) for name, part in found.busy.items() if name != "workers"} == {
        "scheduler": 0,
        "driver": 4,
        "writers": 10,
        "database": 20,
    }


@pytest.mark.parametrize(
    ("services", "bottleneck"),
    [
        (Services((0, 10), (0.0, 10.0), 0.001, 0.001, 0.001, 0.001, 0.001), "workers"),
        (Services((0, 10), (0.0, 0.01), 0.001, 1.0, 0.001, 0.001, 0.001), "driver"),
        (Services((0, 10), (0.0, 0.01), 1.0, 0.001, 0.001, 0.001, 0.001), "scheduler"),
        (Services((0, 10), (0.0, 0.01), 0.001, 0.001, 0.001, 1.0, 0.001), "writers"),
        (Services((0, 10), (0.0, 0.01), 0.001, 0.001, 0.001, 0.001, 1.0), "database"),
    ],
)
def test_the_slowest_is_named(services, bottleneck):
    assert simulate(services, House(2, writers=2, size=10), 400).bottleneck == bottleneck


@pytest.mark.parametrize("seconds", [0.001, 0.1, 10.0])
def test_lots_are_those_that_a_campaign_gives_out(seconds):
    services, left, expected = Services(batches=(seconds, seconds * LARGEST)), 3001, []
    workers = Workers(ThreadPoolExecutor(1))
    workers.pace = seconds
    while left:
        expected.append(_size(workers, left, 3))
        left -= expected[-1]
    assert House(3).lots(services, 3001) == expected
    assert expected[-1] == 1


def test_a_batch_between_two_that_were_measured_is_between_them():
    services = Services((1, 8, 32), (0.1, 0.5, 2.0))
    assert services.batch(8) == 0.5
    assert services.batch(20) == pytest.approx(1.25)
    assert services.longer(3.0).batch(8) == pytest.approx(24.5)


@pytest.mark.slow
def test_copied_rows_are_those_that_writers_insert(database, tmp_path):
    """And as many a run as the store writes with its artifacts."""
    one = sweep("rows", 4)
    records = [record for _, record in templates(jobs(one))]
    store = Store(database.uri, tmp_path)
    inserted = store.tables
    assert inserted is not None
    campaign = Campaign(database, one.destination, records, 0, tmp_path)
    counts = [tables_of(database)]
    for write in (
        lambda: campaign.grow(20, inserted),
        lambda: campaign.grow(20, Copied(inserted.engine)),
        lambda: store.log_together(list(campaign.new(20))),
    ):
        write()
        counts.append(tables_of(database))
    more = [{name: after[name].rows - before[name].rows for name in after} for before, after in pairwise(counts)]
    more[0]["datasets"] = 0  # the first of them brought the data set
    assert more[0] == more[1]
    assert more[2] == {**more[0], "tags": more[0]["tags"] + 20}  # how many files each has
    run_ids = {run.info.run_id for run in store.client.search_runs([campaign.experiment], "tags.trial != ''")}
    assert len(run_ids) == 60


def test_the_page_has_the_tables_of_what_was_measured():
    measured, page = json.loads(MEASURED.read_text()), PAGE.read_text()
    missing = [name for name, text in tables(measured).items() if text not in page]
    assert missing == []
    assert [one for one in re.findall(r"\]\((.*?)\)", page) if not (PAGE.parent / one).exists()] == []


def test_what_the_page_says_of_the_simulation_is_so():
    """More of what a scenario adds never makes it slower; the last is faster than the first."""
    measured = json.loads(MEASURED.read_text())
    rates = [one.with_workers(64, 20_000).rate for one in scenarios(measured).values()]
    assert all(later >= 0.98 * earlier for earlier, later in pairwise(rates))
    assert rates[-1] > 2 * rates[0]


@pytest.mark.slow
def test_the_quick_version_of_two_parts_runs():
    """As it is typed; it leaves what was measured as it is."""
    before = MEASURED.read_bytes()
    words = [sys.executable, "-m", "studies.scale", "--quick", "--only", "workers", "--only", "slopes"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, MEASURED.read_bytes()) == (0, before)
    assert set(re.findall(r"(?m)^([a-z]+)$", done.stdout)) == set(tables(json.loads(before)))


def test_numbers_are_short():
    assert [short(value) for value in (0.00012345, 1.0, 12.345, 1234.5, 1_000_000.0)] == [
        "0.000123",
        "1",
        "12.3",
        "1,230",
        "1,000,000",
    ]
