"""Task and result of one shard, as records that can be sent to other machines."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskgen.formats.any_path import AnyPath

from ..library import MaskerFactory
from ..mask.settings import MaskSettings
from ..sources.listing import Item
from .records import ShardReport
from .run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a run, as every worker must know it.

    Attributes:
        token: its folder in the run's scratch/, which goes when the start is over, and with it the workers' leave to
            write.
        digest: of the settings that decide what comes out: what a worker has loaded for others is loaded anew.
        parent: the process without which a worker of this machine stops; None where workers are not its children.
        versions: of the libraries that decide bytes, where workers are other installations; they must have the same.
        lives: how many workers may die on a shard before its backend gives up; None where it never does.
    """

    token: str
    digest: str
    parent: int | None = None
    versions: tuple[tuple[str, str], ...] = ()
    lives: int | None = None


@dataclass(frozen=True, slots=True)
class ShardTask:
    """Everything that a worker needs to process one shard.

    `retry` holds the keys to process again (None: all); `turn` counts how often the shard was queued.
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
        """Where it is written."""
        return RunFolder(self.settings.run, self.start.token)

    @property
    def log(self) -> AnyPath:
        """Where attempts at it are noted until it is done."""
        return self.run.scratch / f"{self.id}.log"


@dataclass(frozen=True, slots=True)
class ShardDone:
    """A finished shard: its report, seconds by stage, and the worker's peak memory in MB (0: unknown).

    `reused` counts photographs whose faces another run had found; `cpu` is the processor's seconds, those of loading
    left out; `worker` names the machine and process, and `ready` is the time at which it had loaded all (None where it
    never did).
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
    """A shard whose backend allows no more dead workers: it must be queued again."""

    id: str
