"""Read OUT as InsightFace's dataset class does, with MXNet: python read_with_mxnet.py OUT.

A program of its own, since MXNet wants an older NumPy than everything else here.
"""

from __future__ import annotations

import hashlib
import json
import numbers
import sys
from pathlib import Path

import mxnet  # type: ignore[import-not-found]

folder = Path(sys.argv[1])
records = mxnet.recordio.MXIndexedRecordIO(str(folder / "train.idx"), str(folder / "train.rec"), "r")
header, _ = mxnet.recordio.unpack(records.read_idx(0))
found = []
for number in range(1, int(header.label[0])):
    one, picture = mxnet.recordio.unpack(records.read_idx(number))
    label = one.label if isinstance(one.label, numbers.Number) else one.label[0]
    shape = mxnet.image.imdecode(picture).asnumpy().shape
    found.append([int(label), list(shape), hashlib.sha256(picture).hexdigest()])
ranges = [
    mxnet.recordio.unpack(records.read_idx(number))[0].label.tolist()
    for number in range(int(header.label[0]), int(header.label[1]))
]
print(json.dumps({"pictures": found, "ranges": ranges}))
