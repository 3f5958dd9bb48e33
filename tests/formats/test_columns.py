"""Columns against pyarrow's own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.formats.columns import column, numbers

WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = [TEXT, st.booleans(), WHOLE, REAL, st.one_of(REAL, st.integers(-(2**50), 2**50))]
KINDS = [*PLAIN, *(st.lists(kind, max_size=5) for kind in PLAIN), st.lists(st.lists(REAL, max_size=4), max_size=3)]


@settings(deadline=None)
@given(st.one_of([st.lists(st.one_of(st.none(), kind), max_size=20) for kind in KINDS]))
def test_a_column_is_pyarrows(values: list[Any]) -> None:
    ours, theirs = column(values), pa.array(values)
    ours.validate(full=True)
    assert ours.type == theirs.type
    assert ours.equals(theirs)


@pytest.mark.parametrize("values", [[{"a": 1}], [b"a", None], [[b"a"], []], [None], []])
def test_other_values_are_left_to_pyarrow(values: list[Any]) -> None:
    assert column(values).equals(pa.array(values))


@pytest.mark.parametrize("values", [[1, "a"], [[1], 2], [2**64]])
def test_what_pyarrow_refuses_is_refused(values: list[Any]) -> None:
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError, OverflowError)):
        column(values)


@pytest.mark.parametrize(
    "values", [[[1.5, 2], None, []], [[1, 2**24]], [[[0.1, 3]], [[]]], [["a"]], [[None, 1.5]], [None]]
)
def test_lists_of_numbers_are_narrow(values: list[Any]) -> None:
    array = column(values, narrow=True)
    array.validate(full=True)
    assert "double" not in str(array.type) or None in values[0]
    assert array.to_pylist() == pa.array(values).cast(array.type).to_pylist()


@given(st.lists(st.none() | st.floats() | st.integers(-(2**50), 2**50), max_size=20), st.integers(0, 20))
def test_numbers_are_numpys(values: list[Any], skipped: int) -> None:
    array = pa.array(values).slice(skipped)
    theirs = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    np.testing.assert_array_equal(numbers(array), theirs.astype(float))


def test_nothing_heavy_is_imported() -> None:
    code = "from maskgen.formats.columns import column; column(['a', None]); column([[1.5], []]); import sys; "
    code += "sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
