"""A progress bar."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Progress(Hook):
    """Moves a progress bar: anything with `update(n)` and `set_postfix_str(text, refresh=...)`, such as tqdm's.

    Who made the bar closes it: several populations, one after another, move the same one.

    >>> import io
    >>> from sandbox import Config, train
    >>> from tqdm import tqdm
    >>> with tqdm(total=500, file=io.StringIO()) as bar:
    ...     result = train(Config(epochs=500), [Progress(bar)])
    >>> bar.n
    500
    """

    def __init__(self, bar: Any, every: int = 100) -> None:
        self.bar, self.every = bar, every

    def on_start(self, run: "Run") -> None:
        self.done = 0

    def on_epoch(self, run: "Run") -> None:
        costs = np.atleast_1d(run.cost)
        finite = costs[np.isfinite(costs)]
        self.bar.set_postfix_str(f"cost {np.median(finite):.4g}" if finite.size else "diverged", refresh=False)
        self.bar.update(run.epoch - self.done)
        self.done = run.epoch

    on_end = on_epoch
