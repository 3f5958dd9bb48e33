#!/bin/sh
# OpenCV 5: text by a FontFace is drawn in another weight once any Hershey font was used in the process.
#
# Versions: opencv-python-headless 5.0.0.93, numpy 2.3.5, Python 3.11
# Input:    cv2.putText(picture, text, origin, colour, cv2.FontFace("sans"), 13), alone, and after a call of
#           cv2.putText with FONT_HERSHEY_SIMPLEX on another picture
# Expected: the same pixels
# Seen:     other pixels, and getTextSize gives another width: the new FontFace takes the weight that the Hershey call
#           left behind. With weight=400 in every call the pixels are the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 numpy==2.3.5
cat > "$folder/draw.py" <<'PYTHON'
import hashlib
import sys

import cv2
import numpy as np

weight = int(sys.argv[1])
if sys.argv[2] == "after":
    cv2.putText(np.zeros((40, 300, 3), np.uint8), "a", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (1, 1, 1), 1)
picture, face = np.full((40, 300, 3), 250, np.uint8), cv2.FontFace("sans")
cv2.putText(picture, "the same text", (5, 20), (40, 40, 40), face, 13, weight)
width = cv2.getTextSize((10**6, 20), "the same text", (0, 0), face, 13, weight)[2]
print(hashlib.sha256(picture.tobytes()).hexdigest()[:12], width)
PYTHON
seen() { "$folder/venv/bin/python" "$folder/draw.py" "$1" "$2"; }
alone=$(seen 0 alone) after=$(seen 0 after) set_alone=$(seen 400 alone) set_after=$(seen 400 after)
echo "without a weight: alone $alone, after a Hershey font $after"
echo "with weight 400:  alone $set_alone, after a Hershey font $set_after"
[ "$alone" != "$after" ] && [ "$set_alone" = "$set_after" ] || { echo "the behaviour has changed"; exit 1; }
