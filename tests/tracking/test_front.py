"""The front page: what it says of a store, asked of the store itself and of a page that is served."""

import html
import urllib.request

from sandbox.tracking import Destination, Record, Store
from sandbox.tracking.front import SWITCHES, cards, page
from sandbox.tracking.views import View


def test_an_experiments_question_answer_figure_and_views_are_there(small, run_here, store, server):
    sweep = small("fronted", question="What <b>does</b> it?")
    outcome = run_here(sweep)
    card = next(one for one in cards(store) if one.name == "fronted")
    assert card.question == "What <b>does</b> it?"
    assert card.latest is not None
    assert card.latest.answer == outcome.answer.sentences
    assert (card.latest.status, card.latest.figures) == ("FINISHED", "4 runs")
    assert [name for name, _ in card.views] == ["1 The answer", "2 Boundaries", "3 Every run"]

    with urllib.request.urlopen(f"{server}/sandbox", timeout=20) as answered:
        text = answered.read().decode()
    assert "What &lt;b&gt;does&lt;/b&gt; it?" in text
    assert "<b>does</b>" not in text
    assert all(html.escape(sentence, quote=False) in text for sentence in outcome.answer.sentences)
    assert html.escape(card.views[0][1]) in text
    with urllib.request.urlopen(f"{server}/{card.latest.picture}", timeout=20) as answered:
        assert answered.read() == outcome.files["answer.png"]


def test_plain_mlflow_is_behind_it_with_its_switches_set(server):
    with urllib.request.urlopen(f"{server}/", timeout=20) as answered:
        text = answered.read().decode()
    head, _, rest = text.partition("<script>")
    assert head.endswith("<head>")
    assert 'id="root"' in rest
    assert all(key in rest for key in SWITCHES)
    with urllib.request.urlopen(f"{server}/version", timeout=20) as answered:
        assert answered.read().decode().startswith("3.")


def test_what_is_not_finished_set_aside_or_corrupt_costs_nothing(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db")
    assert "No experiment is here yet" in page(store)
    to = Destination("under way", "Is it?", "way-12345678", {"role": "sweep", "question": "Is it?"})
    experiment = store.experiment(to.experiment, to.description)
    parent = store.parent(experiment, to)
    assert "Under way." in page(store)
    store.show(parent, [View("3 Every run", to.campaign, "tags.trial != ''")])
    store.client.set_experiment_tag(experiment, "mlflow.sharedViewState.sandbox-broken", "{")
    store.close_parent(parent, Record(to.campaign, "KILLED", 0, 1))
    (card,) = cards(store)
    assert ([name for name, _ in card.views], card.latest and card.latest.answer) == (["3 Every run"], [])
    assert "Not finished" in page(store)
    alone = store.experiment("alone", "A run by itself.\n\nAnd more.")
    assert [(one.name, one.question) for one in cards(store)][1:] == [("alone", "A run by itself.")]
    store.client.set_experiment_tag(alone, "set_aside", "2026-11-27")
    assert [one.name for one in cards(store)] == ["under way"]
