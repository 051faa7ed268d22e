"""What is left to train, given out a lot at a time; where hosts share a campaign, what this one has claimed of it."""

from collections.abc import Callable, Iterator, Sequence

from sandbox.job import Ended, Job, ended_as
from sandbox.tracking.claims import Came, Claims

Known = Callable[[Sequence[Job]], dict[str, Ended]]  # those of these jobs that MLflow has, by key


class Supply:
    """The jobs that are `left`, to be taken from the front. Another host may take some too, where there are `claims`.

    Those are `elsewhere`, by key, until they are logged or their host is gone. `known` looks whether MLflow has the runs of
    a host that has gone, and puts what it left half-written out of its reach.
    """

    def __init__(self, jobs: Sequence[Job], claims: Claims | None = None, known: Known = lambda jobs: {}) -> None:
        self.left, self.claims, self.known = list(jobs), claims, known
        self.elsewhere: dict[str, Job] = {}
        self._came: list[Ended] = []

    def take(self, number: int) -> list[Job]:
        """So many of them at most, to be trained now; none where there are none left."""
        while self.left:
            some, self.left = self.left[:number], self.left[number:]
            if self.claims is None:
                return some
            ours = self.claims.take([job.key for job in some])
            self.elsewhere |= {job.key: job for job in some if job.key not in ours}
            taken = [job for job in some if job.key in ours]
            if heirs := [job for job in taken if ours[job.key].inherited]:
                known = self.known(heirs)
                self.claims.log({key: Came(ended.status, ended.metrics) for key, ended in known.items()})
                self._came += known.values()
                taken = [job for job in taken if job.key not in known]
            if taken:
                return taken
        return []

    def came(self) -> Iterator[Ended]:
        """Those that have ended elsewhere by now; those whose host is gone are left again."""
        yield from self._came
        self._came = []
        if self.claims is None or not self.elsewhere:
            return
        for key, one in self.claims.logged([*self.elsewhere]).items():
            yield ended_as(self.elsewhere.pop(key), one.status, one.metrics)
        free = self.claims.free([*self.elsewhere])
        self.left += [self.elsewhere.pop(key) for key in free]
