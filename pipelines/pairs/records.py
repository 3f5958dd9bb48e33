"""Records that the steps of `maskgen pairs` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskgen.formats.any_path import AnyPath

from .settings import PairsSettings

if TYPE_CHECKING:
    from maskgen.manifests.formats.lfw_pairs import Resolved
    from maskgen.manifests.plan import Manifests


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Images left out because of their file or face: paths as in the manifests, person, run, reason."""

    rows: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedLists:
    """The lists before they are written: `folders` are the runs by name, `alignments` those of their crops."""

    settings: PairsSettings
    folders: dict[str, AnyPath]
    alignments: dict[str, str]
    manifests: Manifests
    left_out: LeftOut
    resolved: Resolved | None

    @property
    def folder_of(self) -> list[AnyPath]:
        """The run folder of each person of the images."""
        return [self.folders[person.run] for person in self.manifests.images.people]
