"""Task and result of one shard, as records that can be sent to other machines."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskgen.formats.any_path import AnyPath

from ..load_models import MaskerFactory
from ..mask.settings import MaskSettings
from ..sources.listing import Item
from .run_folder import RunFolder
from .shard_records import ShardReport


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a run, as sent to every worker.

    Attributes:
        token: its folder in the run's scratch/. The folder is removed when the start ends, and with it the workers'
            permission to write.
        digest: of the settings that decide the output: a worker reloads the masker when it changes.
        parent: the process whose end stops a worker of this machine; None where workers are not its children.
        versions: of the libraries that decide the bytes, for workers of other installations, which must match.
        lives: how many workers may die on a shard before the backend gives it up; None for no limit.
    """

    token: str
    digest: str
    parent: int | None = None
    versions: tuple[tuple[str, str], ...] = ()
    lives: int | None = None


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Everything that a worker needs to process one shard.

    `retry` holds the keys to retry (None: all); `turn` counts how often the shard was queued.
    """

    id: str
    items: tuple[Item, ...]
    root: AnyPath
    settings: MaskSettings
    factory: MaskerFactory
    start: Start
    retry: frozenset[str] | None = None
    turn: int = 0

    @property
    def run(self) -> RunFolder:
        """The run folder, with write permission of this start."""
        return RunFolder(self.settings.run, self.start.token)

    @property
    def log(self) -> AnyPath:
        """The log of attempts at the shard."""
        return self.run.scratch / f"{self.id}.log"


@dataclass(frozen=True, slots=True)
class ShardDone:
    """A finished shard: its report, seconds by stage, and the worker's peak memory in MB (0: unknown).

    `reused` counts photographs with faces from another run; `cpu` is CPU seconds without loading; `worker` names the
    machine and process, and `ready` is the time at which it had loaded its masker (None if it never did).
    """

    id: str
    report: ShardReport
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    reused: int = 0
    cpu: float = 0.0
    worker: str = ""
    ready: float | None = None


@dataclass(frozen=True, slots=True)
class ShardReturned:
    """A shard that the backend gave up after too many dead workers: it must be queued again."""

    id: str
