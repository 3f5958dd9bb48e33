#!/bin/sh
# pytorch-metric-learning's classification losses round their own class weights to the type of the embeddings, for good:
# under autocast a float32 parameter that the optimizer holds becomes bfloat16.
#
# Versions: pytorch-metric-learning 2.9.0, torch 2.13.0, Python 3.11
# Input:    the usual loop of mixed precision: network and loss in torch.autocast("cpu", torch.bfloat16), backward and a
#           step of SGD outside, for ArcFaceLoss, CosFaceLoss and NormalizedSoftmaxLoss
# Expected: parameters stay float32 under autocast, as those of every torch.nn layer do (the Linear layer's does)
# Seen:     the loss's W is bfloat16 after the first call, so is its gradient, and no error or warning says so. A later
#           call with float32 embeddings makes it float32 again, with the rounded values: all of its low bits are 0. With
#           steps as small as those at the end of a training, 1e-4 of a gradient, nearly all of W no longer moves
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/see.py" <<'PY'
import torch
from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss, NormalizedSoftmaxLoss

for loss_of in (ArcFaceLoss, CosFaceLoss, NormalizedSoftmaxLoss):
    torch.manual_seed(0)
    network, loss = torch.nn.Linear(64, 32), loss_of(10, 32)
    optimizer = torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=1e-4)
    pictures, labels = torch.randn(64, 64), torch.arange(64) % 10
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(network(pictures), labels)
    value.backward()
    before = loss.W.detach().float().clone()
    optimizer.step()
    still = (loss.W.detach().float() == before).float().mean().item()
    types = loss.W.dtype, network.weight.dtype
    loss(network(pictures), labels)
    rounded = torch.equal(loss.W.detach(), loss.W.detach().bfloat16().float())
    print(loss_of.__name__, *types, "most unmoved:", still > 0.9, "back:", loss.W.dtype, "rounded:", rounded)
PY
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check pytorch-metric-learning==2.9.0 torch==2.13.0
"$folder/env/bin/python" "$folder/see.py" > "$folder/seen"
cat "$folder/seen"
[ "$(grep -c "torch.bfloat16 torch.float32 most unmoved: True back: torch.float32 rounded: True" "$folder/seen")" = 3 ]
