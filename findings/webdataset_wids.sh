#!/bin/sh
# The newest webdataset no longer brings `wids`, its indexed datasets, and nothing on import says so.
#
# Versions: webdataset 0.2.111 and 1.0.2, Python 3.11
# Input:    none; both versions are installed side by side
# Expected: `import wids` works after `pip install -U webdataset`, as the project's README and notebooks use it
# Seen:     0.2.111 installs the top-level package wids; 1.0.2 does not, and `import wids` fails
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
for version in 0.2.111 1.0.2; do
    "$folder/venv/bin/pip" install -q --no-deps --target "$folder/$version" "webdataset==$version"
    if [ -d "$folder/$version/wids" ]; then echo "$version: wids"; else echo "$version: no wids"; fi
done > "$folder/seen"
cat "$folder/seen"
[ "$(cat "$folder/seen")" = "0.2.111: wids
1.0.2: no wids" ] || { echo "the behaviour has changed"; exit 1; }
