from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskgen.core.number_sets import by_appearance, distinct, distinct_pairs, numbered, repeated, shared, varying


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 1, 7, 10**17])), max_size=30), st.data())
def test_sets_of_numbers_are_those_of_numpy(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    others = np.array(data.draw(st.lists(st.sampled_from([0, 1, 5, 10**17]), max_size=9)), np.int64)
    for values in (first, second):
        assert distinct(values).tolist() == sorted(set(values.tolist()))
        assert repeated(values).tolist() == [one in values[:at] for at, one in enumerate(values)]
        used, places = numbered(values)
        assert (used.tolist(), used[places].tolist()) == (sorted(set(values.tolist())), values.tolist())
        seen = list(dict.fromkeys(values.tolist()))
        assert by_appearance(values).tolist() == [seen.index(value) for value in values]
        assert shared(values, others).tolist() == sorted(set(values.tolist()) & set(others.tolist()))
    others_of = {one: {b for a, b in pairs if a == one} for one, _ in pairs}
    assert varying(first, second).tolist() == [len(others_of[one]) > 1 for one, _ in pairs]
    assert distinct_pairs(first, second).T.tolist() == [list(pair) for pair in sorted(set(pairs))]
    assert distinct_pairs(second, second).T.tolist() == [[one, one] for one in sorted(set(second.tolist()))]
