"""Does a sweep, or a comparison, survive whatever happens?

    .venv/bin/python -m studies.chaos --rounds 30

Runs two small sweeps (random sampling, and TPE) and small comparisons by turns in an empty folder, and does something to
each: `kill -9` of the driver, the writers or all of them at a random moment; a signal within the first second; the clock
set back; the folder moved; a store that is away for good; poisoned files in the spool; a spoilt journal; a parent run or
artifacts deleted. After every round the doctor must name what an independent look finds wrong. At the end `--repair` mends,
all of them are run to their end, and then every run in both stores, every point of every curve and every picture is looked
at, and the doctor must be silent. Exits with 1 if anything is not as if nothing had happened.

The last full run: 30 rounds, nothing wrong.
"""
