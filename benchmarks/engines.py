"""What runs MTCNN's three networks fastest on one thread: PyTorch, OpenVINO, onnxruntime or OpenCV.

    python benchmarks/engines.py

Needs maskgen[train], for its oracle in PyTorch and to write ONNX. Microseconds a picture, the least of many calls, for
groups as large as a run has them. Every engine gets uint8 pictures or float32 tensors, whichever it takes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets
from maskgen.faces.mtcnn.torch_nets import TorchNets

SHAPES = {"pnet": (16, 36, 84), "rnet": (16, 24, 24), "onet": (8, 48, 48)}
NETS = {"pnet": PNet, "rnet": RNet, "onet": ONet}
SECONDS = 1.0


def least(call: Callable[[], object], pictures: int) -> float:
    """Microseconds a picture."""
    call()
    best, end = np.inf, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begun = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begun)
    return float(best / pictures * 1e6)


def through_onnxruntime(path: Path, tensor: np.ndarray) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": tensor})


def through_opencv(path: Path, tensor: np.ndarray) -> Callable[[], object]:
    net: Any = cv2.dnn.readNetFromONNX(str(path))

    def call() -> object:
        net.setInput(tensor)
        return net.forward(net.getUnconnectedOutLayersNames())

    return call


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    openvino, pytorch = OpenVinoNets((16, 8)), TorchNets("cpu")
    print(f"{'us a picture':<14}{'PyTorch':>12}{'OpenVINO':>12}{'onnxruntime':>12}{'OpenCV':>12}")
    for name, shape in SHAPES.items():
        pictures = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
        tensor = np.ascontiguousarray((pictures.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 128)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            torch.onnx.export(NETS[name]().eval(), (torch.from_numpy(tensor),), path, dynamo=False, input_names=["x"])
            calls = [
                lambda name=name, pictures=pictures: getattr(pytorch, name)(pictures),
                lambda name=name, pictures=pictures: getattr(openvino, name)(pictures),
                through_onnxruntime(path, tensor),
                through_opencv(path, tensor),
            ]
            print(f"{name:<14}" + "".join(f"{least(call, shape[0]):>12.1f}" for call in calls), flush=True)


if __name__ == "__main__":
    main()
