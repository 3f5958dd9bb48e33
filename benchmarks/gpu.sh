#!/usr/bin/env bash
# What has to be measured on a GPU: finding, masks rendered by PyTorch, each recipe's steps in bf16 and channels last, and
# `masked` with new masks.
#   benchmarks/gpu.sh PHOTOGRAPHS OUT [DEVICE] [tiny]
# PHOTOGRAPHS is a folder PERSON/PHOTO.jpg; OUT gets table.md and what the tools say. On one card with 16 cores it takes
# eight minutes: `masked` trains for what the other parts leave of them. Each part is stopped after its share and then says
# so in the table. WORKERS (16) and LIMIT (470 seconds in all) are read from the environment.
# `tiny` proves on a CPU that all parts run: few steps of few and small pictures. Its figures mean nothing.
# It has been run to its end with `cpu tiny` only; there was no card.
set -eu
photographs=$(realpath "$1"); mkdir -p "$2"; out=$(realpath "$2"); device=${3:-cuda}; size=${4:-whole}
workers=${WORKERS:-16}; limit=${LIMIT:-470}; here=$(cd "$(dirname "$0")" && pwd); table=$out/table.md
begun_all=$(date +%s); precision=bf16
# A CPU without bfloat16 of its own takes ten times as long with it as with float32.
if [ "$device" = cpu ] && ! grep -qE 'avx512_bf16|amx_bf16' /proc/cpuinfo; then precision=fp32; fi
how_fast="--set train.precision=$precision --set train.channels_last=true"
card=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null || echo "no card: $(getconf _NPROCESSORS_ONLN) cores")
{ echo "| on ${card}, ${size} | |"; echo "|---|---|"; } > "$table"

if [ "$size" = tiny ]; then
  most=$limit; amount="--batch-size 4 --steps 1 --warm-up 1"; few="--set train.max_steps=2"; masks="--batch 2 --pictures 4"
else
  most=40; amount="--batch-size 64 --steps 30"; few=""; masks="--batch 256 --pictures 1024"
fi

small() {  # a small batch for recipes whose batches are of people, and small pictures where they may be
  if [ "$size" = tiny ]; then
    case $1 in
      model2) echo "--set data.people=2 --set data.images=2 --set train.batch_size=4 --set data.size=96" ;;
      masked) echo "--set data.people=2 --set data.images=2 --set train.batch_size=4" ;;
      *) echo "--set data.size=96" ;;
    esac
  else
    case $1 in model2|masked) echo "--set data.people=16 --set data.images=4 --set train.batch_size=64" ;; esac
  fi
}

said() {  # FILE: its last line that tells a rate, or else its last line
  tr '\r' '\n' < "$1" | grep -v '^ *$' > "$1.lines" || true
  grep -E ' a second|images/s|^\| [a-z]' "$1.lines" | tail -n 1 | grep . || tail -n 1 "$1.lines"; rm "$1.lines"
}

part() {  # NAME SECONDS COMMAND...: run it, keep what it says, and put what it told into the table
  name=$1; share=$2; shift 2; begun=$(date +%s)
  if timeout -s INT -k 10 "$share" "$@" > "$out/$name.txt" 2>&1; then how=""; else how=" (ended with code $?)"; fi
  echo "| $name$how, $(($(date +%s) - begun)) s | $(said "$out/$name.txt" | tr '|' '/') |" >> "$table"
}

part find "$most" maskgen mask "$photographs" "$out/bare" --unmasked-share 1 --device "$device" --workers 1 --overwrite
part torch-masks "$most" python "$here/torch_masks.py" "$out/bare" --device "$device" $masks
for recipe in model1 model2 model3 effnet-b2 masked; do
  part "steps-$recipe" "$most" python "$here/train_speed.py" "$out/bare/faces" --device "$device" --recipes "$recipe" \
    --workers "$workers" $amount $(small "$recipe") $how_fast
done
part lists "$most" maskgen pairs --train "$out/bare" "$out/lists"
left=$((limit - $(date +%s) + begun_all)); [ "$left" -gt 30 ] || left=30
if [ "$size" = tiny ]; then left=$limit; people=$(small masked); else people=""; fi
part masked "$left" maskgen train masked --data "$out/lists" --run "$out/trained" --device "$device" --overwrite \
  --workers "$workers" $how_fast --set train.save_every=20 $few $people
cat "$table"
