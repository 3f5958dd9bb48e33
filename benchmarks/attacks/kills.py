"""Kill every command at random moments, give it again, and compare what it writes with a run that was never killed.

    python benchmarks/attack.py --only kills

Four kills in a row strike one command, each after a random share of the processor time that its clean run took, and
each start goes on from what the kill before it left. Then the command is given once more and must end well, and its
outputs must equal those of the clean run, byte for byte. A start that ends before its kill is compared too, and the
command is struck again.

`play` writes no file: what is compared is its answer, and that its folder, home and temporary folder stay empty.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import IO, Any

import numpy as np
import psutil

from maskgen.core.cache.folder import cache_folder

IN_A_ROW = 4
LONGEST = 600  # seconds that a command may take
KEPT = ("masked", "lists", "trained")  # what the other commands work on
ALSO = ("lfw", "label", "bin", "rec", "tar", "cvlface", "adaface", "facexzoo", "hub")
OF_TIME = ("timing.json", "report.html", "CARD.md", ".lock")


def tree(folder: Path) -> str:
    """A hash of all files of a folder but those that tell of time."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in OF_TIME:
            digest.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@dataclass
class Victim:
    """A command line that goes on or begins anew after a kill.

    Attributes:
        out: the folder that it writes into.
        compared: the file or folder in `out` that must be equal; "" for all of it.
        seconds: of processor that its clean run took.
        wanted: the hash of what the clean run wrote.
    """

    line: list[str]
    out: Path
    compared: str = ""
    env: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    wanted: str = ""

    @property
    def name(self) -> str:
        """For the list of outcomes."""
        return self.line[0]

    def prepare(self) -> None:
        """Nothing was written yet."""
        shutil.rmtree(self.out, ignore_errors=True)

    def start(self) -> subprocess.Popen[str]:
        """The command as a process of its own session."""
        return subprocess.Popen(
            [sys.executable, "-c", "from maskgen.pipelines.cli import main; main()", *self.line],
            cwd=self.out.parent,
            env=os.environ | self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> None:
        """Wait for the end.

        Raises:
            ValueError: it did not end well.
        """
        try:
            told, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            end(process)
            raise ValueError(f"{self.line}: a hang") from None
        if process.returncode not in (0, 3) or "Traceback" in told:
            raise ValueError(f"{self.line}: exit {process.returncode}: {told[-300:]}")

    def result(self) -> str:
        """The hash of what it wrote."""
        part = self.out / self.compared
        return hashlib.sha256(part.read_bytes()).hexdigest() if part.is_file() else tree(part)

    def whole(self) -> str:
        """Let it come to its end; the hash of what it comes to."""
        self.ended(self.start())
        return self.result()


@dataclass
class Player(Victim):
    """`maskgen play`: one picture is sent as soon as it listens."""

    picture: Path = Path()
    answer: str = ""

    def prepare(self) -> None:
        """Folders for the current folder, home and temporary files, all empty."""
        super().prepare()
        self.out.mkdir()

    def start(self) -> subprocess.Popen[str]:
        """See `Victim`."""
        process = super().start()
        threading.Thread(target=self._ask, args=(process,), daemon=True).start()
        return process

    def _ask(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        url = address(process.stdout)
        if url is None:
            return
        photo = {"name": "a.png", "data": base64.b64encode(self.picture.read_bytes()).decode()}
        body = json.dumps({"photo": photo, "form": "cloth", "print": "dots", "seed": 1}).encode()
        request = urllib.request.Request(f"{url}try", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=LONGEST) as got:
                self.answer = hashlib.sha256(got.read()).hexdigest()
        except (OSError, http.client.HTTPException):  # it was killed
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)

    def ended(self, process: subprocess.Popen[str]) -> None:
        """As in `Victim`; the thread reads its output."""
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            end(process)
            raise ValueError(f"{self.line}: a hang") from None
        if process.returncode != 0:
            raise ValueError(f"{self.line}: exit {process.returncode}")

    def result(self) -> str:
        """The hash of the answer.

        Raises:
            ValueError: it wrote a file.
        """
        written = [str(path) for path in self.out.rglob("*")]
        if written:
            raise ValueError(f"play wrote {written}")
        return self.answer


def address(output: IO[str]) -> str | None:
    """Where `play` says that its page is; None where it ends before."""
    for line in output:
        if "http://" in line:
            return line.split()[-1]
    return None


def victims(folder: Path) -> Iterator[Victim]:
    """Every command; what the others work on comes first."""
    yield Victim(["mask", "sample", "masked", "--bare", "--workers", "1"], folder / "masked")
    also = [word for form in ALSO for word in ("--also", form)]
    lists = ["pairs", "--run", "whole/masked", "--people", "0.4,0.3,0.3", "--paths", "absolute", *also]
    yield Victim([*lists, "--allow-misaligned", "lists"], folder / "lists")
    yield Victim(["gallery", "whole/masked", "gallery", "--simulate", "--expect", "2,2"], folder / "gallery")
    training = ["--data", "whole/lists", "--epochs", "1", "--batch-size", "8", "--workers", "0", "--device", "cpu"]
    yield Victim(["train", "small", *training, "--run", "trained", "--resume"], folder / "trained", "last")
    embedding = ["whole/trained", "whole/lists/test.csv", "embedded/test.parquet"]
    yield Victim(["embed", *embedding], folder / "embedded")
    judging = ["whole/trained", "--data", "whole/lists", "--report", "judged", "--replicates", "10"]
    yield Victim(["evaluate", *judging], folder / "judged")
    yield Victim(["export", "whole/trained", "exported/model.onnx"], folder / "exported")
    yield Victim(["kinds", "--kind", "n95", "--out", "kinds"], folder / "kinds")
    yield Victim(["demo", "shown", "--source", "sample", "--workers", "1"], folder / "shown")
    labels = ["--crop", "none", "--faces", "all", "--segmentation=classes", "--labels", "coco", "--labels", "yolo"]
    yield Victim(["mask", "sample", "labelled", *labels, "--workers", "1"], folder / "labelled")
    yield Victim(["mask", "sample", "packed", "--write", "tar", "--workers", "1"], folder / "packed")
    empty = {name: str(folder / "played") for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    empty["MASKGEN_CACHE"] = str(cache_folder())  # the landmark model in its final form, which any command may write
    line = ["play", "--port", "0", "--no-browser"]
    yield Player(line, folder / "played", env=empty, picture=folder / "sample" / "portrait.png")


class Kills:
    """The victims, made ready in a folder, and the kill of each number."""

    def __init__(self, folder: Path) -> None:
        from maskgen import api
        from maskgen.core.images import encode_image
        from maskgen.pipelines.load_models import portrait

        # A shell's background jobs ignore Ctrl-C and so would their children, but `play` is ended by it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        api.draw_sample(folder / "sample", 6, 4, 0)
        (folder / "sample" / "portrait.png").write_bytes(encode_image(portrait().image, "png", 100))
        (folder / "whole").mkdir()
        self.victims = []
        for victim in victims(folder):
            victim.prepare()
            before = spent_by_children()
            victim.wanted = victim.whole()
            victim.seconds = spent_by_children() - before
            print(f"{' '.join(victim.line)}: {victim.seconds:.1f} s of processor", file=sys.stderr)
            self.victims.append(victim)
            if victim.out.name in KEPT:
                victim.out.rename(folder / "whole" / victim.out.name)

    def one(self, rng: np.random.Generator, number: int) -> str:
        """One kill, and after the last of a row the end; the name of the outcome."""
        victim = self.victims[number // IN_A_ROW % len(self.victims)]
        if number % IN_A_ROW == 0:
            victim.prepare()
        while not self.struck(victim, float(rng.uniform(0, victim.seconds))):
            self.compare(victim, victim.result())
            victim.prepare()
        if number % IN_A_ROW == IN_A_ROW - 1:
            self.compare(victim, victim.whole())
            victim.prepare()
        return victim.name

    def struck(self, victim: Victim, seconds: float) -> bool:
        """Start, and kill with all its workers after seconds of processor; False where it ended before, and well."""
        process = victim.start()
        if kill_after(process, seconds):
            return True
        victim.ended(process)
        return False

    def compare(self, victim: Victim, result: str) -> None:
        """Raise ValueError unless it is the clean run's."""
        if result != victim.wanted:
            raise ValueError(f"{victim.line}: another result")


def spent_by_children() -> float:
    """Seconds of processor that processes started here, and ended, have spent."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent(process: psutil.Process) -> float:
    """Seconds of processor that a process, those that it started and those that ended have spent."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.Error:  # it ended meanwhile
            continue
    return total


def kill_after(process: subprocess.Popen[Any], seconds: float) -> bool:
    """Kill a session after so many seconds of processor; False where it ends before."""
    try:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            if spent(seen) >= seconds:
                end(process)
                return True
            sleep(0.01)
    except psutil.Error:
        pass
    return False


def end(process: subprocess.Popen[Any]) -> None:
    """Kill a session, and wait until it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
