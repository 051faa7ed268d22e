"""Arms: the alternatives, and how people type them."""

import pytest

from sandbox import Config, RequestError
from sandbox.comparison import Arm, parse_arm, standard_arms


def test_the_standard_arms_are_those_of_the_question():
    in_the_plane = {arm.name: arm.changes() for arm in standard_arms()}
    assert in_the_plane["raw"] == {}
    assert in_the_plane["product"] == {"crosses": ("x1*x2",)}
    assert in_the_plane["second degree"] == {"crosses": ("x1*x2", "x1^2", "x2^2")}
    assert [in_the_plane[f"hidden {8}{'-8' * more}"]["hidden"] for more in range(3)] == [(8,), (8, 8), (8, 8, 8)]
    assert in_the_plane["second degree + 8-8"] == {"hidden": (8, 8), "crosses": ("x1*x2", "x1^2", "x2^2")}
    kinds = ["neither", "features", "features", "layers", "layers", "layers", "both"]
    assert [arm.kind for arm in standard_arms()] == kinds


def test_a_tables_leading_features_are_crossed():
    changes = {arm.name: arm.changes([f"x{column + 1}" for column in range(30)]) for arm in standard_arms()}
    assert len(changes["product"]["crosses"]) == 6
    assert len(changes["second degree"]["crosses"]) == 10
    for arm in standard_arms():
        Config(dataset="breast_cancer", hidden=()).replace(**arm.changes([f"x{column + 1}" for column in range(30)]))


def test_an_arm_as_people_type_it():
    assert parse_arm("crosses: crosses=x1*x2") == Arm("crosses", (("crosses", ("x1*x2",)),))
    assert parse_arm("both : learning-rate=0.1; hidden=8,8;").changes() == {"learning_rate": 0.1, "hidden": (8, 8)}
    assert parse_arm("raw:").changes() == {}
    for arm in standard_arms():
        assert parse_arm(arm.describe()).kind == arm.kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deep", "write NAME: FIELD=VALUE"),
        (": hidden=8", "write NAME: FIELD=VALUE"),
        ("a'b: hidden=8", "write NAME: FIELD=VALUE"),
        ("deep: hidden", "write FIELD=VALUE, such as hidden=8,8"),
        ("deep: hiden=8", "did you mean 'hidden'"),
        ("deep: hidden=8; hidden=9", "sets hidden twice"),
        ("deep: hidden=x", "a whole number or several"),
        ("deep: seed=3", "leave it out, the comparison sets the seeds"),
        ("deep: dataset=xor", "--dataset says which"),
    ],
)
def test_a_wrong_arm_says_what_would_be_right(text, said):
    with pytest.raises(RequestError, match=said.replace("(", r"\(")):
        parse_arm(text)
