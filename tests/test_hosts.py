"""Hosts with a network and a disk each, on one machine, that share a sweep: a round of studies.chaos.hosts."""

import os
import random
import subprocess

import pytest

from studies.chaos.hosts import site, torment, wrong_with

pytestmark = pytest.mark.slow


def namespaces():
    """Why there can be no network namespaces, "" where there can."""
    try:
        subprocess.run(["ip", "netns", "add", f"try{os.getpid()}"], check=True, capture_output=True)
        subprocess.run(["ip", "netns", "delete", f"try{os.getpid()}"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces need root, a kernel that gives them, and ip of Debian's package iproute2: {error}"
    return ""


def test_each_run_is_there_once_whatever_happens_to_a_driver_and_to_the_network():
    if os.environ.get("CI") != "true" and (why := namespaces()):  # where CI=true they are needed
        pytest.skip(why)
    with site() as one:
        happened, endless = torment(one, "a round", 5, random.Random(5), ("a driver killed", "the network cut"))
        assert len(happened) == 2
        assert endless + wrong_with(one, "a round", 5) == []
