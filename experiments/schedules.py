"""Should the learning rate fall, and when is it too large?

    make sweep-schedules              .venv/bin/python -m experiments.schedules --help

On a quadratic, gradient descent diverges where the rate is above 2 / sharpness, the sharpness being the Hessian's largest
eigenvalue. A line fitted by least squares is one, with the same sharpness everywhere; a network changes its own as it
learns. Schedules start at the same rates and let them fall. This sweep is not part of `make sweep`.
"""

from sandbox import Config
from sandbox.nn import Sharpness
from sandbox.sweeps import Sweep, arms, choice
from sandbox.sweeps.command import experiment

LINE, NETWORK, BATCHES = {"hidden": ()}, {"hidden": (8,), "batch_size": None}, {"hidden": (8,), "batch_size": 10}
SWEEP = Sweep(
    name="schedules",
    question="Should the learning rate fall, and when is it too large?",
    reading="Group by the tag `arm`. `sharpness_times_rate` above 2 at step 0 is where a quadratic diverges: compare it "
    "with `diverged`, and with its own later values. Then `final_cost` by `schedule`, for each `learning_rate`.",
    base=Config(
        dataset="moons", n_examples=100, noise=0.1, activation="tanh", output="linear", cost="squared_error", epochs=400
    ),
    space={
        "arm": arms(
            {"line": LINE}
            | {name: NETWORK | {"schedule": name} for name in ("constant", "step", "cosine", "inverse_time")}
            | {f"{name}, batches of 10": BATCHES | {"schedule": name} for name in ("constant", "cosine")}
        ),
        "learning_rate": choice(0.3, 0.6, 1.0, 1.5),
    },
    seeds=20,
    objective="final_cost",
    hooks=[Sharpness(every=40, products=12)],
)

# Full run: rate times sharpness is below 2 at the start of all 61 lines that converge, and above 2 of the 19 that diverge.
# Of networks none that starts below 2 diverges; on the full batch at a rate of 1 16 start above, and 2 diverge; at 0.6 it
# rises from 1.55 to 1.93 (medians). Final cost, constant and cosine: 0.0167 and 0.0273 at 0.3, 0.0131 and 0.0167 at 0.6,
# 0.0279 and 0.0152 at 1; with batches of 10 0.0084 and 0.0085, 0.0093 and 0.0078, 0.0535 and 0.0170.

if __name__ == "__main__":
    experiment(SWEEP)
