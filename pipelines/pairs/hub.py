"""OUT/hub: the training pictures and the test pairs as a folder for a hub of data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen import __version__

from .records import PlannedLists

if TYPE_CHECKING:
    from maskgen.manifests.hub.card import Card, Part
    from maskgen.manifests.schema import Ints, Pairs

HUB = "hub"


def write_hub(work: PlannedLists, rows: Ints, targets: Ints, pairs: Pairs, same: list[bool]) -> Mapping[str, int]:
    """Write the folder; returns rows by file name.

    Args:
        rows, targets: of train.csv.
        pairs, same: of test.csv.
    """
    from maskgen.core.atomic_writes import write_atomic
    from maskgen.manifests.hub.croissant import croissant

    folder = work.settings.out / HUB
    written = _write_training(work, folder, rows, targets)
    if len(pairs):
        written += _write_pairs(work, folder, pairs, same)
    card = _card(work, rows, pairs, [part for part, _ in written])
    write_atomic(folder / "croissant.json", croissant(card))
    write_atomic(folder / "README.md", card.text().encode())
    return {f"{HUB}/{name}": count for _, counts in written for name, count in counts.items()}


Written = list[tuple["Part", dict[str, int]]]


def _write_training(work: PlannedLists, folder: Path, rows: Ints, targets: Ints) -> Written:
    from maskgen.core.seeding import rng_for
    from maskgen.manifests.hub.parquet import Column, shuffled

    columns = (
        Column("image", "image", "the crop, as maskgen wrote it"),
        Column("target", "int64", "the person's number, from 0"),
        Column("person", "string", "the person's name in the source"),
        Column("kind", "string", "the mask, or bare"),
        Column("alignment", "string", "where eyes and mouth lie, see maskgen's docs/formats.md; empty where not known"),
    )

    def made(part: Ints) -> Iterator[Mapping[str, Any]]:
        for at in part.tolist():
            row, target = int(rows[at]), int(targets[at])
            person = work.manifests.images.people[int(work.manifests.images.person[row])]
            yield {
                "image": _image(work, row, f"{at:09}"),
                "target": target,
                "person": person.name,
                "kind": _kind(work, row),
                "alignment": work.alignments[person.run],
            }

    order = shuffled(len(rows), rng_for(work.settings.seed, "order of the hub's rows"))
    return _saved(folder, "default", "train", "data", columns, made, order)


def _write_pairs(work: PlannedLists, folder: Path, pairs: Pairs, same: list[bool]) -> Written:
    import numpy as np

    from maskgen.manifests.hub.parquet import Column

    columns = (
        Column("image", "image", "one crop"),
        Column("pair_image", "image", "the other crop"),
        Column("same", "bool", "whether both are one person"),
        Column("kind", "string", "the mask on the one, or bare"),
        Column("pair_kind", "string", "the mask on the other, or bare"),
    )

    def made(part: Ints) -> Iterator[Mapping[str, Any]]:
        for at in part.tolist():
            first, second = int(pairs.first[at]), int(pairs.second[at])
            yield {
                "image": _image(work, first, f"{at:09}_1"),
                "pair_image": _image(work, second, f"{at:09}_2"),
                "same": same[at],
                "kind": _kind(work, first),
                "pair_kind": _kind(work, second),
            }

    return _saved(folder, "verification", "test", "verification", columns, made, np.arange(len(pairs)))


def _saved(folder: Path, config: str, split: str, inside: str, columns: Any, made: Any, order: Ints) -> Written:
    from maskgen.manifests.hub.card import Part
    from maskgen.manifests.hub.parquet import save_parquet

    files = save_parquet(folder / inside, split, columns, made, order)
    size = sum(path.stat().st_size for path, _ in files)
    part = Part(config, split, f"{inside}/{split}-*.parquet", len(order), size, columns)
    return [(part, {path.relative_to(folder).as_posix(): count for path, count in files})]


def _image(work: PlannedLists, row: int, name: str) -> dict[str, Any]:
    from maskgen.manifests.square_faces import raw_picture

    images = work.manifests.images
    path = images.paths[row].as_py()
    data = raw_picture(work.folder_of[int(images.person[row])], path)
    return {"bytes": data, "path": f"{name}.{path.rpartition('.')[2]}"}


def _kind(work: PlannedLists, row: int) -> str:
    images = work.manifests.images
    return images.kinds[int(images.kind[row])]


def _card(work: PlannedLists, rows: Ints, pairs: Pairs, parts: list[Part]) -> Card:
    import numpy as np

    from maskgen.manifests.hub.card import UNKNOWN_LICENCE, UNSTATED_CONSENT, Card
    from maskgen.manifests.list_alignment import joined_alignments

    images, settings = work.manifests.images, work.settings
    kinds = Counter(_kind(work, row) for row in rows.tolist())
    return Card(
        name=f"{settings.out.resolve().name}: faces with and without masks",
        licence=settings.license or UNKNOWN_LICENCE,
        consent=settings.consent or UNSTATED_CONSENT,
        parts=tuple(parts),
        people=len(np.unique(images.person[np.concatenate([rows, pairs.first, pairs.second])])),
        kinds=tuple(sorted(kinds.items())),
        alignment=joined_alignments(work.alignments.values()),
        maskgen=__version__,
        seed=settings.seed,
    )
