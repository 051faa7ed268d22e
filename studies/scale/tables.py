"""The tables of scale.md, in Markdown, from what was measured: what is printed is what stands there (a test looks)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studies.scale.calibration import summary
from studies.scale.scenarios import ORDERS, WORKERS, message_seconds, scenarios, services, usual_lot

Rows = Sequence[Sequence[object]]
SHOWN = ("metrics", "params", "latest_metrics", "tags", "runs", "inputs", "input_tags")


def short(value: float) -> str:
    """A number with three digits, as people write it."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def table(head: Sequence[str], rows: Rows) -> str:
    """A table in Markdown: numbers by `short`, the rest as it is."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(
        f"| {' | '.join(short(one) if isinstance(one, float) else str(one) for one in line)} |" for line in lines
    )


def tables(measured: Mapping[str, Any]) -> dict[str, str]:
    """All tables, by the names of what they show."""
    return {
        "writing": writing(measured["slopes"]),
        "rows": rows(measured["slopes"][-1]),
        "asking": asking(measured["slopes"]),
        "services": service_times(measured),
        "messages": messages(measured["messages"]),
        "calibration": calibration(measured["calibration"]),
        "workers": by_workers(measured),
        "orders": orders(measured),
    }


def _bytes(one: Mapping[str, Any]) -> float:
    return float(sum(each["whole"] for each in one["tables"].values()))


def writing(slopes: Sequence[Mapping[str, Any]]) -> str:
    """What a run takes to write, and what it leaves, as there are more of them."""
    head = [
        "runs",
        "GB",
        "kB a run",
        "rows a run",
        "ms a run",
        "of the writer",
        "of PostgreSQL",
        "by COPY: ms a run",
        "of PostgreSQL",
        "log, kB a run",
    ]
    told = []
    for one in slopes:
        way, copy, runs = one["inserted"], one["copied"], one["runs"]
        count = sum(each["rows"] for each in one["tables"].values())
        told.append(
            [f"{runs:,}", _bytes(one) / 1e9, _bytes(one) / runs / 1e3, count / runs]
            + [1e3 * way[name] for name in ("wall", "own", "database")]
            + [1e3 * copy[name] for name in ("wall", "database")]
            + [way["log bytes"] / 1e3]
        )
    return table(head, told)


def rows(one: Mapping[str, Any]) -> str:
    """What a run leaves in each table."""
    whole = _bytes(one)
    told = []
    for name in SHOWN:
        each = one["tables"][name]
        kB = [value / one["runs"] / 1e3 for value in (each["heap"], each["whole"] - each["heap"])]
        told.append([name, each["rows"] / one["runs"], *kB, f"{each['whole'] / whole:.1%}"])
    return table(["table", "rows a run", "kB of rows", "kB of indexes", "of all"], told)


def asking(slopes: Sequence[Mapping[str, Any]]) -> str:
    """What a driver asks when it starts, and MLflow's pages, in seconds of processor time, the database's among them."""
    pages = ["newest", "newest of a parent", "best of a parent", "a run's curve"]
    told = []
    for one in slopes:
        asked = {name: each for name, each in one["asked"].items() if name != "memory"}
        took = {name: each["own"] + each["database"] for name, each in asked.items()}
        start = [took["read_state"] + took["of_record"], asked["read_state"]["database"], one["asked"]["memory"] / 1e6]
        pairs = [f"{short(took[name])} ({short(asked[name]['database'])})" for name in pages]
        told.append([f"{one['runs']:,}", *start, *pairs])
    head = ["runs", "a driver's start, s", "of PostgreSQL", "its memory, MB"]
    return table([*head, *(f"{name}, s" for name in pages)], told)


def service_times(measured: Mapping[str, Any]) -> str:
    """Milliseconds of processor time for a run, and bytes."""
    found = {kind: (measured["workers"][kind], measured["drivers"][kind]) for kind in ("drawn", "bare")}
    told: list[list[object]] = []
    for place, size in enumerate(measured["workers"]["drawn"]["sizes"]):
        each = [1e3 * worker["batches"][place] / size for worker, _ in found.values()]
        told.append([f"worker: a run, {size} together", *each])
    told.append(["worker: packing it", *(1e3 * worker["dumps"] for worker, _ in found.values())])
    told.append(["driver: unpacking it", *(1e3 * worker["loads"] for worker, _ in found.values())])
    for name, words in (("put", "driver: spool.put"), ("tell", "driver: study.tell"), ("note", "driver: outcome.note")):
        told.append([words, *(1e3 * rest[name] for _, rest in found.values())])
    told.append(["driver: all of it", *(1e3 * services(measured, kind).driver for kind in found)])
    for name, words in (
        ("writer", "writer: a run"),
        ("lot", "writer: a lot of up to 100"),
        ("database", "PostgreSQL: a run"),
    ):
        told.append([words, *(1e3 * rest[name] for _, rest in found.values())])
    told.append(["sent to the driver, kB", *(worker["sent bytes"] / 1e3 for worker, _ in found.values())])
    told.append(["in the spool, kB", *(rest["spool bytes"] / 1e3 for _, rest in found.values())])
    for name, words in (
        ("files", "artifacts: files"),
        ("inodes", "artifacts: inodes"),
        ("disk bytes", "artifacts: kB of the disk"),
    ):
        scale = 1e3 if "bytes" in name else 1.0
        told.append([words, *(rest["artifacts"][name] / scale for _, rest in found.values())])
    return table(["ms of processor time", "drawn", "bare"], told)


def messages(found: Sequence[Mapping[str, float]]) -> str:
    """What Dask takes for a task."""
    names = ("client", "scheduler", "worker", "wall")
    told = [[f"{one['bytes']:,}", *(1e3 * one[name] for name in names)] for one in found]
    return table(["bytes of the result", "client, ms", "scheduler, ms", "worker, ms", "clock, ms"], told)


def calibration(found: Sequence[Mapping[str, Any]]) -> str:
    """What was simulated against what was measured."""
    told = []
    for one in found:
        measured, predicted, cores = summary(dict(one))
        each = ", ".join(short(rate) for rate in one["measured"])
        told.append(
            [
                str(one["workers"]),
                cores,
                each,
                measured,
                predicted,
                f"{predicted / measured - 1:+.0%}",
                str(one["load"]),
            ]
        )
    return table(["workers", "cores left by others", "measured, runs/s", "median", "simulated", "off by", "load"], told)


def by_workers(measured: Mapping[str, Any]) -> str:
    """Runs a second of a sweep of 100,000 (scenarios.RUNS), efficiency and bottleneck, by the number of workers."""
    told = []
    found = scenarios(measured)
    for workers in WORKERS:
        line: list[object] = [str(workers)]
        for one in found.values():
            simulated = one.with_workers(workers)
            line.append(f"{short(simulated.rate)} ({simulated.rate / workers / one.alone:.0%}, {simulated.bottleneck})")
        told.append(line)
    return table(["workers", *found], told)


def orders(measured: Mapping[str, Any]) -> str:
    """What a sweep of each order of magnitude comes to, by the slopes at the largest size that was measured."""
    last, drawn = measured["slopes"][-1], measured["drivers"]["drawn"]
    size, asked = last["runs"], last["asked"]
    batch = usual_lot(measured["workers"]["drawn"])
    message = message_seconds(measured, batch * measured["workers"]["drawn"]["sent bytes"])
    lines: dict[str, list[object]] = {
        "rows, million": [sum(each["rows"] for each in last["tables"].values()) / size * n / 1e6 for n in ORDERS],
        "PostgreSQL, GB": [_bytes(last) / size * n / 1e9 for n in ORDERS],
        "its log, GB": [last["inserted"]["log bytes"] * n / 1e9 for n in ORDERS],
        "artifacts, GB of the disk": [drawn["artifacts"]["disk bytes"] * n / 1e9 for n in ORDERS],
        "artifacts, thousand inodes": [drawn["artifacts"]["inodes"] * n / 1e3 for n in ORDERS],
        f"Dask's tasks, of {batch} runs": [short(float(-(-n // batch))) for n in ORDERS],
        "the scheduler's time, s": [message * -(-n // batch) for n in ORDERS],
        "a plan, s": [measured["start"]["plan"] * n for n in ORDERS],
        "a driver's second start, s": [
            (measured["start"]["read"] + (asked["read_state"]["own"] + asked["of_record"]["own"]) / size) * n
            for n in ORDERS
        ],
        "its memory, GB": [asked["memory"] / size * n / 1e9 for n in ORDERS],
    }
    for name, one in scenarios(measured).items():
        hours = [one.with_workers(64, n).seconds / 3600 for n in ORDERS]
        lines[f"hours with 64 workers, {name}"] = [*hours]
    return table(["a sweep of", *(f"{n:,}" for n in ORDERS)], [[name, *line] for name, line in lines.items()])


def entered(page: str, made: Mapping[str, str]) -> str:
    """A page with these tables in their places, between `<!-- name -->` and `<!-- end -->`."""
    for name, text in made.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, mark, rest = page.partition(begin)
        page = f"{before}{mark}{text}\n{end}{rest.partition(end)[2]}" if mark else page
    return page


def printed(measured: Mapping[str, Any], made: Mapping[str, str]) -> Iterator[str]:
    """All of it, as it is printed: where and when it was measured, and the tables."""
    machine = ", ".join(f"{name} {value}" for name, value in measured["machine"].items())
    yield f"measured on: {machine}"
    yield from (f"{name}: {when}" for name, when in measured["when"].items())
    for name, text in made.items():
        yield f"\n{name}\n\n{text}"
