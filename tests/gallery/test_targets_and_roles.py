"""Numbers of people, counts, and galleries made up from a run."""

from hypothesis import given
from hypothesis import strategies as st

from maskgen.gallery.targets_and_roles import PhotographCounts, Picture, photograph_counts, simulated, targets


def test_targets_follow_the_names() -> None:
    assert targets(["b", "a", "b"]) == {"a": 0, "b": 1}


def test_people_without_a_face_are_counted_too() -> None:
    assert photograph_counts([("b", True), ("b", False), ("b", True)], {"a"}) == [
        PhotographCounts("a", 0, 0),
        PhotographCounts("b", 1, 2),
    ]


RUN = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 7), st.sampled_from(["bare", "n95", "kn95"])), unique=True, max_size=80
)


@given(RUN, st.integers(0, 9))
def test_no_photograph_serves_twice(rows: list[tuple[int, int, str]], seed: int) -> None:
    pictures = [Picture(f"{p}/{s}_{k}", f"p{p}", f"{p}/{s}", k != "bare") for p, s, k in rows]
    chosen, short = simulated(pictures, (2, 1), seed)
    assert simulated(pictures[::-1], (2, 1), seed) == (chosen, short)
    sources = [picture.source for picture in chosen]
    assert len(set(sources)) == len(sources)
    people = {picture.person for picture in chosen}
    for person in people:
        states = [picture.masked for picture in chosen if picture.person == person]
        assert states == [False, False, True]
    assert people.isdisjoint(tally.person for tally in short)
    assert people | {tally.person for tally in short} == {picture.person for picture in pictures}


@given(RUN)
def test_whoever_has_enough_photographs_is_in(rows: list[tuple[int, int, str]]) -> None:
    """With every photograph both bare and masked, three are enough."""
    both = {(p, s) for p, s, _ in rows}
    pictures = [Picture(f"{p}/{s}_{m}", f"p{p}", f"{p}/{s}", m) for p, s in both for m in (False, True)]
    _, short = simulated(pictures, (2, 1), 0)
    assert all(len({s for q, s in both if f"p{q}" == tally.person}) < 3 for tally in short)
