#!/bin/sh
# OpenCV turns a TIFF by its orientation tag even where it is told not to.
#
# Versions: opencv-python-headless 5.0.0.93, numpy 2.3.5, pillow 12.0.0, Python 3.11
# Input:    one picture of 80 x 40 pixels with EXIF orientation 6, as JPEG, PNG, WebP and TIFF
# Expected: cv2.IMREAD_IGNORE_ORIENTATION and cv2.IMREAD_UNCHANGED leave every format as it is stored
# Seen:     JPEG, PNG and WebP stay 80 x 40; the TIFF is 40 x 80 with every flag. Code that reads with IMREAD_UNCHANGED
#           and then turns the picture by its tag itself turns TIFFs twice.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 numpy==2.3.5 pillow==12.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import cv2
import numpy as np
from PIL import Image

picture = Image.fromarray(np.zeros((40, 80, 3), np.uint8))
exif = Image.Exif()
exif[0x0112] = 6
flags = {
    "COLOR": cv2.IMREAD_COLOR,
    "COLOR | IGNORE_ORIENTATION": cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
    "UNCHANGED": cv2.IMREAD_UNCHANGED,
}
seen = {}
for form in ("JPEG", "PNG", "WEBP", "TIFF"):
    file = io.BytesIO()
    picture.save(file, form, exif=exif)
    data = np.frombuffer(file.getvalue(), np.uint8)
    seen[form] = [cv2.imdecode(data, flag).shape[:2] for flag in flags.values()]
    print(form, dict(zip(flags, seen[form])))
stored, turned = (40, 80), (80, 40)
expected = {form: [turned, stored, stored] for form in ("JPEG", "PNG", "WEBP")} | {"TIFF": [turned, turned, turned]}
sys.exit(0 if seen == expected else "the behaviour has changed")
PYTHON
