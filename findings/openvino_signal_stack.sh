#!/bin/sh
# OpenVINO's processor plugin takes over the alternate signal stack of the thread that compiles the first network.
#
# Versions: openvino 2026.4.1, numpy 2.4.6, Python 3.11, Linux x86-64
# Input:    a network of one ReLU, compiled by one Core
# Expected: a library leaves its host's signal set-up alone, or its documentation says that it does not
# Seen:     the stack that Python's faulthandler set (sigaltstack) is replaced by a smaller one that belongs to the
#           Core. Python runs its signal handlers on it, so its life ends with the Core's: a program that gives its
#           Cores back can be left without one. One Core kept for the whole process avoids that.
#             before: 16880 bytes, set by faulthandler
#             after compile_model: 11568 bytes at another address
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet openvino==2026.4.1 numpy==2.4.6
HOME="$work" "$work/venv/bin/python" - <<'PYTHON'
import ctypes
import faulthandler
import sys

import numpy as np
import openvino
from openvino import opset13


class Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def stack():
    found = Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found.address, found.size


faulthandler.enable()
before = stack()
print(f"before: {before[1]} bytes, set by faulthandler")
entry = opset13.parameter([1, 3, 8, 8], np.float32)
core = openvino.Core()
compiled = core.compile_model(openvino.Model([opset13.relu(entry)], [entry], "relu"), "CPU")
after = stack()
print(f"after compile_model: {after[1]} bytes at {'the same' if after[0] == before[0] else 'another'} address")
sys.exit(0 if after != before else 1)
PYTHON
