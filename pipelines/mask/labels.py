"""--labels: detector labels from a finished run's catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from maskgen.core.reasons import counted

from ..reports.progress import Notify
from .settings import MaskSettings


def write_labels(settings: MaskSettings, notify: Notify) -> None:
    """Write coco.json and yolo/ into the run, as --labels says.

    Raises:
        UserError: the catalogue cannot be read.
    """
    from maskgen.core.atomic_writes import remove_parts_of
    from maskgen.manifests.detection.coco import FILE, save_coco
    from maskgen.manifests.detection.labels import class_names, read_labels, unlabelled_faces
    from maskgen.manifests.detection.yolo import ABOUT, FOLDER, save_yolo

    run, names = Path(str(settings.run)), class_names(settings.run)
    yolo = (run / FOLDER / name for name in ("train.txt", "val.txt", ABOUT))
    remove_parts_of(run / FILE, *yolo)
    if "coco" in settings.labels:
        save_coco(run / FILE, read_labels(run), names)
        notify(f"The labels are in {run / FILE}.")
    if "yolo" in settings.labels:
        division = save_yolo(run, read_labels(run), names)
        notify(f"Pictures and labels for YOLO are in {run / FOLDER}; {run / FOLDER / ABOUT} names the classes.")
        if not division.val:
            notify("Warning: val.txt is empty, since the pictures are of one photograph: give more photographs.")
        elif not division.by_people:
            notify(
                "The people are too few to divide: val.txt has a tenth of the photographs, and a person may be in both "
                "lists."
            )
    _warn(unlabelled_faces(read_labels(run)), settings.faces, notify)


def _warn(unlabelled: Mapping[str, int], faces: str, notify: Notify) -> None:
    """Say how many faces have no label; `unlabelled` has their number by photograph."""
    many = sum(unlabelled.values())
    if not many:
        return
    why = f"--faces {faces} selects one face of each photograph, --faces all every face."
    if faces == "all":
        why = f"{'it was' if many == 1 else 'they were'} set aside, see set_aside.csv."
    have = "has" if many == 1 else "have"
    notify(f"Warning: {counted(many, 'face')} in {counted(len(unlabelled), 'photograph')} {have} no label: {why}")
