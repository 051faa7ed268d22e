"""Saved views: their tags as MLflow's page unpacks them, and which of an experiment's are kept."""

import base64
import json
import zlib
from urllib.parse import parse_qs

import pytest

from sandbox.tracking.views import FOLDED, LONGEST, MOST, TAG, Known, Section, View, bars, curve, images, links


def unpacked(text):
    """As MLflow's page does it."""
    outer = json.loads(text)
    kind, _, state = outer["state"].partition(";")
    assert kind == "deflate"
    return outer["name"], json.loads(zlib.decompress(base64.b64decode(state)))


@pytest.fixture
def view():
    sections = [Section("curves", [curve("cost", log=True, low=0.1, high=1000.0), bars("test_accuracy")], 2, 300)]
    sections.append(Section("pictures", [images("boundary", 500)], 1, 700))
    groups = [("param", "learning_rate")]
    return View("1 The answer", "rates-12345678", "tags.x = 'y'", sections=sections, groups=groups, folded=["health"])


def test_a_view_is_what_mlflows_page_reads(view):
    ((key, text),), gone = Known({}).changes([view])[0].items(), Known({}).changes([view])[1]
    assert (key, gone) == (TAG + view.id, [])
    assert len(text) < LONGEST
    name, state = unpacked(text)
    assert name == "1 The answer"
    assert state["searchFilter"] == "tags.x = 'y'"
    assert state["groupBy"]["groupByKeys"] == [{"mode": "param", "groupByData": "learning_rate"}]
    shown = {one["uuid"]: one for one in state["compareRunSections"] if one["display"]}
    charts = [(shown[one["metricSectionId"]]["name"], one["type"]) for one in state["compareRunCharts"]]
    assert charts == [("curves", "LINE"), ("curves", "BAR"), ("pictures", "IMAGE")]
    assert len({one["uuid"] for one in state["compareRunCharts"]}) == 3
    assert {one["name"] for one in state["compareRunSections"] if not one["display"]} == {FOLDED, "health"}
    assert state["compareRunCharts"][0]["range"] == {"yMin": -1.0, "yMax": 3.0}
    query = parse_qs(view.query.partition("?")[2])
    assert (query["viewStateShareKey"], query["compareRunsMode"]) == ([view.id], ["CHART"])
    assert links([view]) == f"Views: [1 The answer](#/experiments/THIS_EXPERIMENT/{view.query})"


def test_a_view_that_is_as_it_was_is_not_written_again(view):
    tags, _ = Known({}).changes([view])
    assert Known(tags).changes([view]) == ({}, [])
    other = View("1 The answer", view.campaign, "tags.x = 'z'")
    changed, _ = Known(tags).changes([other])
    assert changed.keys() == tags.keys()
    assert json.loads(changed[TAG + view.id])["createdAt"] == json.loads(tags[TAG + view.id])["createdAt"]


def test_another_campaigns_view_of_that_name_says_whose_it_is(view):
    tags, _ = Known({}).changes([view])
    other = View("1 The answer", "rates-87654321", "tags.x = 'y'")
    (text,) = Known(tags).changes([other])[0].values()
    assert unpacked(text)[0] == "1 The answer (rates-87654321)"
    again, gone = Known(tags | {TAG + other.id: text}).changes([view])
    assert (again, gone) == ({}, [])


def test_of_ours_the_oldest_go_and_others_stay(view):
    tags = {f"{TAG}somebodys": json.dumps({"name": "mine", "createdAt": 0, "state": "deflate;eJwDAAAAAAE="})}
    for number in range(MOST):
        text = json.loads(Known({}).changes([View("1", f"c-{number}", "")])[0].popitem()[1])
        tags[TAG + View("1", f"c-{number}", "").id] = json.dumps({**text, "createdAt": number + 1})
    _, gone = Known(tags).changes([view, View("2", view.campaign, "")])
    assert gone == [TAG + View("1", f"c-{number}", "").id for number in (1, 0)]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"x"', "{}", '{"name": "x", "createdAt": 1, "state": "deflate;!"}', "[" * 10_000]
)
def test_a_corrupt_tag_costs_nothing(view, text):
    known = Known({TAG + "broken": text, TAG + view.id: text})
    assert known.views == {}
    written, gone = known.changes([view])
    assert (written.keys(), gone) == ({TAG + view.id}, [])
