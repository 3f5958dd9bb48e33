#!/usr/bin/env bash
# What has to be measured on a GPU: finding, each recipe's steps in bf16 and channels last, and `masked` with new masks.
#   benchmarks/gpu.sh PHOTOGRAPHS OUT [DEVICE] [STEPS] [SECONDS] [WORKERS]
# PHOTOGRAPHS is a folder PERSON/PHOTO.jpg; OUT gets table.md and what the tools say. On one card with 16 cores it is meant
# to take eight minutes at most; each part is stopped after its share and then says so in the table.
# It has not been run to its end: with DEVICE=cpu finding ran, and the trainings were cut off.
set -eu
photographs=$(realpath "$1"); mkdir -p "$2"; out=$(realpath "$2"); device=${3:-cuda}; steps=${4:-30}; seconds=${5:-150}
workers=${6:-16}; here=$(cd "$(dirname "$0")" && pwd); table=$out/table.md
card=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null || echo "no card: $(nproc) cores")
echo "| on ${card} | |" > "$table"; echo "|---|---|" >> "$table"

batch() {  # a small batch for recipes whose batches are of people
  case $1 in model2|masked) echo "--set data.people=16 --set data.images=4 --set train.batch_size=64" ;; esac
}

part() {  # NAME SECONDS COMMAND...: run it, keep what it says, and put its last line into the table
  name=$1; most=$2; shift 2; begun=$(date +%s)
  if timeout "$most" "$@" > "$out/$name.txt" 2>&1; then how=""; else how=" (ended with code $?)"; fi
  echo "| $name$how, $(($(date +%s) - begun)) s | $(grep -v '^$' "$out/$name.txt" | tail -n 1 | tr '|' '/') |" >> "$table"
}

part find 60 maskgen mask "$photographs" "$out/bare" --unmasked-share 1 --device "$device" --workers 1 --overwrite
for recipe in model1 model2 model3 effnet-b2 masked; do
  part "steps-$recipe" 60 python "$here/train_speed.py" "$out/bare/faces" --device "$device" --recipes "$recipe" \
    --batch-size 64 --workers "$workers" --steps "$steps" $(batch "$recipe") --set train.precision=bf16 --set train.channels_last=true
done
part lists 60 maskgen pairs --train "$out/bare" "$out/lists"
part masked "$seconds" maskgen train masked --data "$out/lists" --run "$out/trained" --device "$device" --overwrite \
  --workers "$workers" --set train.precision=bf16 --set train.save_every=20
cat "$table"
