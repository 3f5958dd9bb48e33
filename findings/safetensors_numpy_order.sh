#!/bin/sh
# safetensors.numpy.save stores an array that is not in C order as its memory lies, under its shape: other values come back.
#
# Versions: safetensors 0.8.0 beside 0.7.0, numpy 2.2.6, Python 3.11
# Input:    float32 [[0, 1, 2], [3, 4, 5]] in C order, in Fortran order, and as a transposed view
# Expected: load(save({"a": array}))["a"] equals the array, whatever its order; or an error, as safetensors.torch raises
# Seen:     0.7.0 gives the array back; 0.8.0 gives [[0, 3, 1], [4, 2, 5]] for both arrays that are not in C order, without
#           an error or a warning. PyTorch's channels-last weights as NumPy arrays are of that kind, and
#           astype(numpy.float16) keeps their order
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/see.py" <<'PY'
import numpy as np
import safetensors
from safetensors.numpy import load, save

values = np.arange(6, dtype=np.float32).reshape(2, 3)
arrays = {"C": values, "Fortran": np.asfortranarray(values), "view": np.ascontiguousarray(values.T).T}
for name, array in arrays.items():
    back = load(save({"a": array}))["a"]
    print(safetensors.__version__, name, back.ravel().astype(int).tolist(), np.array_equal(back, values))
PY
for version in 0.7.0 0.8.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install -q --disable-pip-version-check "safetensors==$version" "numpy==2.2.6"
    "$folder/$version/bin/python" "$folder/see.py"
done > "$folder/seen"
cat "$folder/seen"
[ "$(cat "$folder/seen")" = "0.7.0 C [0, 1, 2, 3, 4, 5] True
0.7.0 Fortran [0, 1, 2, 3, 4, 5] True
0.7.0 view [0, 1, 2, 3, 4, 5] True
0.8.0 C [0, 1, 2, 3, 4, 5] True
0.8.0 Fortran [0, 3, 1, 4, 2, 5] False
0.8.0 view [0, 3, 1, 4, 2, 5] False" ]
