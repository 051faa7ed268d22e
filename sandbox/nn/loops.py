"""The loops of training: forward, backward, update, over all examples at once or over mini-batches.

They stop for good at an epoch, or where no replica is left, or where so many are gone that the rest should move.
"""

from typing import TYPE_CHECKING

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


def full_batch(run: "Run", until: int) -> None:
    """Epochs of one pass each, in which as few lines of Python are run as can be."""
    run._pass = run._work.full
    work, recorded, record_at, rows = run._work, run._recorded, run._record_at, run._rows_if_some
    forward, value, update = work.full.forward, work.value, work.update
    backward = [*work.full.backward, *work.penalties]
    next_call, points, cost = run._next_call(run.epoch), run._points, run._value
    for epoch in range(run.epoch, until):
        for call in forward:
            call()
        if epoch == record_at[points]:
            cost = value()
            recorded[points if rows is None else (points, rows)] = cost
            points += 1
        elif epoch == next_call:
            cost = value()
        for call in backward:
            call()
        if work.scheduled:
            work.set_rate(epoch)
        if epoch == next_call:
            run.epoch, run._points, run._value = epoch, points, cost
            if not run._call_hooks():
                return
            next_call = run._next_call(epoch + 1)
            if run._sparse():
                until = epoch + 1
        for call in update:
            call()
        if epoch == until - 1:
            break
    run.epoch, run._points = until, points


def mini_batches(run: "Run", until: int) -> None:
    """Epochs over mini-batches."""
    work = run._work
    watching = [hook for hook in run.hooks if type(hook).on_batch is not Hook.on_batch]
    next_call = run._next_call(run.epoch)
    while run.epoch < until:
        epoch = run.epoch
        if epoch == run._record_at[run._points]:
            run._value, run._outdated = work.evaluate(), False
            run._recorded[run._points, ... if run._rows_if_some is None else run._rows] = run._value
            run._points += 1
        elif epoch == next_call:
            run._value, run._outdated = work.evaluate(), False
        if work.scheduled:
            work.set_rate(epoch)
        for batch in work.passes(epoch):
            run._pass = batch
            for calls in (batch.forward, batch.backward, work.penalties):
                for call in calls:
                    call()
            if epoch == next_call:
                next_call = run._next_call(epoch + 1)
                if not run._call_hooks():
                    return
            if watching and not run._watch_batch(watching):
                return
            for call in work.update:
                call()
            run._outdated = True
        run.epoch = epoch + 1
        if run._sparse():
            return
