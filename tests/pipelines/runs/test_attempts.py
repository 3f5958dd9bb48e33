from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskgen.core.reasons import UserError
from maskgen.pipelines.runs.attempts import Attempt, History, Log, parse

DIED = st.lists(st.builds(Attempt, st.integers(0, 3), st.none() | st.integers(0, 5)))


def test_a_log_tells_of_attempts_and_is_gone_with_the_shard(tmp_path: Path) -> None:
    log = Log(tmp_path / "shard.log")
    assert log.history() == History()
    log.begin(0)
    log.begin(0)
    log.at(3)
    log.at(4)
    log.begin(1)
    assert log.history().attempts == (Attempt(0), Attempt(0, 4), Attempt(1))
    log.end()
    assert log.history() == History()


@given(DIED)
def test_what_is_noted_is_read(attempts: list[Attempt]) -> None:
    lines = [
        line
        for attempt in attempts
        for line in (f"begun {attempt.turn}", *([] if attempt.at is None else ["at 9", f"at {attempt.at}"]))
    ]
    assert parse(lines).attempts == tuple(attempts)


def test_a_line_that_a_death_cut_short_is_left_out() -> None:
    assert parse(["begun 0", "begun 0", "at 3", "a"]).attempts[-1] == Attempt(0, 3)
    assert parse(["at 3", ""]).attempts == ()


@given(DIED)
def test_a_photograph_is_poisoned_by_two_deaths(attempts: list[Attempt]) -> None:
    slow = {at for at in range(6) if len([one for one in attempts if one.at == at]) >= 2}
    assert History(tuple(attempts)).poisoned == slow


def test_one_death_is_laid_on_no_photograph() -> None:
    assert History((Attempt(0), Attempt(0, 7))).poisoned == frozenset()


def test_workers_that_never_come_to_a_photograph_are_told() -> None:
    futile = [Attempt(0)] * 3
    History(tuple(futile)).check()
    with pytest.raises(UserError, match="before their first photograph"):
        History((*futile, Attempt(1))).check()


def test_turns_are_counted_apart() -> None:
    assert History((Attempt(0), Attempt(0, 1), Attempt(1))).in_turn(0) == 2
