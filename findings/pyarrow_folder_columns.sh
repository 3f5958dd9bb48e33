#!/bin/sh
# pyarrow reads one Parquet file with other columns, or not at all, where a folder above it is called NAME=VALUE.
#
# Versions: pyarrow 21.0.0, numpy 2.2.6, Python 3.11
# Input:    one file with the columns person (string) and score; a copy of it below a folder person=Ann, and one below
#           kind=n95
# Expected: pyarrow.parquet.read_table(FILE) gives the file's own columns wherever the file lies
# Seen:     below kind=n95 the table has a third column `kind`; below person=Ann the call raises ArrowTypeError, for the
#           folder's person is a dictionary of strings and the file's a string. partitioning=None gives the file's own
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "pyarrow==21.0.0" "numpy==2.2.6"
cat > "$folder/see.py" <<'PY'
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

root = Path(sys.argv[1])
table = pa.table({"person": ["Bo"], "score": [1]})
for name in ("plain", "kind=n95", "person=Ann"):
    path = root / name / "a.parquet"
    path.parent.mkdir()
    pq.write_table(table, path)
    for options in ({}, {"partitioning": None}):
        try:
            seen = " ".join(pq.read_table(path, **options).column_names)
        except pa.ArrowException as error:
            seen = type(error).__name__
        print(f"{name} {len(options)}: {seen}")
PY
"$folder/venv/bin/python" "$folder/see.py" "$folder" > "$folder/seen"
cat "$folder/seen"
[ "$(cat "$folder/seen")" = "plain 0: person score
plain 1: person score
kind=n95 0: person score kind
kind=n95 1: person score
person=Ann 0: ArrowTypeError
person=Ann 1: person score" ] || { echo "the behaviour has changed"; exit 1; }
