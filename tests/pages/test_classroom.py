"""Ten at once, by Streamlit's own protocol: nobody lost, nobody wrong, and no thread of theirs left."""

import asyncio
import time
from pathlib import Path

import pytest

from bench import classroom
from core.models import checkpoints

SECONDS = 240  # on a busy machine; alone it takes a tenth of that


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at the server through /proc")
@pytest.mark.skipif("resnet9-l2" not in checkpoints.names(), reason="the weights are not here")
def test_ten_visitors_at_once_are_all_served_and_leave_nothing_behind():
    queries = [f"{link}&attack=FGSM" for link in classroom.links(10)]
    with classroom.server() as (url, pid):
        asyncio.run(classroom.visit(url, queries[-1], SECONDS))
        before = classroom.Server.of(pid)
        visits = asyncio.run(classroom.lesson(url, queries, SECONDS))
        assert [visit.query for visit in visits if visit.page is None or visit.problems] == []
        assert all(visit.first <= visit.page for visit in visits)
        single = asyncio.run(classroom.alone(url, queries[:3], SECONDS))
        assert [visit.numbers == single[visit.query] for visit in visits[:3]] == [True] * 3
        assert len({visit.numbers for visit in visits}) == len(set(queries)), "different links show different numbers"
        until = time.monotonic() + 30
        while (after := classroom.Server.of(pid)).threads > before.threads + 4 and time.monotonic() < until:
            time.sleep(0.5)
        assert after.threads <= before.threads + 4


def test_a_class_visits_nobody_else_and_has_an_end():
    with pytest.raises(ValueError, match="loopback address alone"):
        classroom.Client("http://example.org:80")
    with pytest.raises(ValueError, match="at most 200"):
        asyncio.run(classroom.lesson("http://127.0.0.1:1", [""] * 201, 1))
    with pytest.raises(SystemExit):
        classroom.main(["--visitors", "1000"])
