"""OpenVINO sends nothing anywhere, and a signal is handled after its networks are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskgen.core.networks import openvino_core
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets

DROPPED = """
import faulthandler, gc, os, signal
from maskgen.faces.classifiers import classifier_network
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets

faulthandler.enable()
caught = []
signal.signal(signal.SIGUSR1, lambda *call: caught.append(call))
first, second = OpenVinoNets((8, 8)), OpenVinoNets((8, 8))
classifier_network._network("maskgen.faces", "masked.npz", os.getpid())
del first
gc.collect()
del second
classifier_network._network.cache_clear()
gc.collect()
signal.raise_signal(signal.SIGUSR1)
print(len(caught))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="a POSIX signal")
def test_a_signal_is_handled_after_the_networks_are_gone() -> None:
    run = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip()) == (0, "1"), run.stderr


ALONE = """
import os, sys
forks = []
os.register_at_fork(before=lambda: forks.append(1))
sys.addaudithook(lambda event, call: print(event, call) if event.startswith("socket.") else None)
from maskgen.faces.classifiers import classifier_network
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets

OpenVinoNets((8, 8))
classifier_network._network("maskgen.faces", "masked.npz", os.getpid())
print(len(forks), "openvino_telemetry" in sys.modules)
"""


def test_openvino_sends_nothing_and_writes_nothing(tmp_path: Path) -> None:
    """Its telemetry forks a process, opens a connection and writes into the home folder when it is imported."""
    run = subprocess.run(
        [sys.executable, "-c", ALONE],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert run.stdout.strip() == "0 False", run.stderr
    assert not list(tmp_path.glob("intel*"))


UNBOUND = """
import os, threading
import numpy as np
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets

nets, inferring, seen, over = OpenVinoNets((8, 8)), threading.get_native_id(), set(), threading.Event()

def watch():
    while not over.is_set():
        seen.add(frozenset(os.sched_getaffinity(inferring)))

watching = threading.Thread(target=watch)
watching.start()
for _ in range(100):
    nets.pnet(np.zeros((1, 120, 120, 3), np.uint8))
over.set()
watching.join()
print(seen == {frozenset(os.sched_getaffinity(0))})
"""


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs several cores"
)
def test_networks_run_on_any_core() -> None:
    """Bound to the first core, as OpenVINO does by itself, the workers of a run would take turns on it."""
    run = subprocess.run([sys.executable, "-c", UNBOUND], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "True", run.stdout + run.stderr


FORKED = """
import gc, os, signal, sys
import numpy as np
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module

def answer():
    ops = openvino_module().opset13
    entry = ops.parameter([4], np.float32)
    model = openvino_module().Model([ops.relu(entry)], [entry], "relu")
    request = compiled_for_one_thread(model).create_infer_request()
    request.infer({0: np.arange(-2, 2, dtype=np.float32)})
    return float(request.get_output_tensor(0).data.sum())

assert answer() == 1
gc.collect()
if not os.fork():
    signal.alarm(60)
    os.write(1, str(answer()).encode())
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a POSIX call")
def test_a_forked_process_does_not_wait_for_the_threads_of_a_network_that_was_dropped() -> None:
    run = subprocess.run([sys.executable, "-P", "-c", FORKED], capture_output=True, text=True, check=False)
    assert run.stdout == "1.0", run.stderr


FORKS_WHILE_COMPILING = """
import os, signal, threading
import numpy as np
from maskgen.core.networks.openvino_core import COMPILING
from maskgen.faces.detect import MtcnnDetector

picture, held = np.full((96, 96, 3), 128, np.uint8), 0
thread = threading.Thread(target=lambda: MtcnnDetector().detect([picture]))
thread.start()
while thread.is_alive() and held < 3:
    if COMPILING.acquire(blocking=False):
        COMPILING.release()
        continue
    held += 1
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(len(MtcnnDetector().detect([picture])[0]))
    assert os.waitpid(child, 0)[1] == 0
thread.join()
print(held)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="not here")
def test_no_process_is_forked_while_a_network_is_compiled() -> None:
    command = [sys.executable, "-P", "-c", FORKS_WHILE_COMPILING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1


def test_a_batch_is_used_again_and_its_answers_stay() -> None:
    pictures = np.random.default_rng(5).integers(0, 256, (9, 24, 24, 3), np.uint8)
    net = OpenVinoNets((4, 2))
    first = net.rnet(pictures[:4], 4)
    kept = [answer.copy() for answer in first]
    padded = net.rnet(pictures[4:6], 4)
    black = np.concatenate([pictures[4:6], np.zeros((2, 24, 24, 3), np.uint8)])
    for ours, theirs in zip(padded, net.rnet(black), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert net._rnet._batch.shape == (4, 24, 24, 3)
    for ours, theirs, again in zip(first, kept, net.rnet(pictures[:4]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(ours, again)


def test_the_memory_of_a_large_batch_is_not_kept_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_core, "MOST_KEPT", 1000)
    net, large = OpenVinoNets((4, 2)), np.full((4, 24, 24, 3), 90, np.uint8)
    before = net.rnet(large)
    batch = net._rnet._batch
    for ours, theirs in zip(before, net.rnet(large), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert net._rnet._batch is not batch
