"""A training list with its pictures as files, imgs/TARGET/ROW.jpg: for AdaFace, and with a list for FaceX-Zoo.

Folder names are targets padded with zeros, so that the order by name is that by number: torchvision's ImageFolder,
which AdaFace uses, numbers folders in that order, so its labels are the targets of train.csv.

train_list.txt    `imgs/000012/000000345.jpg 12`, one picture a line, for FaceX-Zoo

Sources: `CustomImageFolderDataset` of AdaFace, commit c60eaa7; `ImageDataset` of FaceX-Zoo, commit 16b793a.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from maskgen.core.atomic_writes import atomic_file, write_atomic

from ..schema import Ints

FOLDER, FACEX_LIST = "imgs", "train_list.txt"
_DIGITS = 6


def picture_names(targets: Ints) -> Iterator[str]:
    """The path of each picture below the folder of the lists.

    Example:
        >>> next(picture_names(np.array([12])))
        'imgs/000012/000000000.jpg'
    """
    digits = max(_DIGITS, len(str(max(targets.tolist(), default=0))))
    return (f"{FOLDER}/{target:0{digits}}/{row:09}.jpg" for row, target in enumerate(targets.tolist()))


def save_image_folder(folder: Path, pictures: Iterable[bytes], targets: Ints) -> None:
    """Write imgs/.

    Args:
        pictures: JPEGs in the order of the list.
        targets: int64 (n,), of each, from 0.
    """
    for picture, name in zip(pictures, picture_names(targets), strict=True):
        write_atomic(folder / name, picture)


def save_facex_list(folder: Path, targets: Ints) -> None:
    """Write train_list.txt, which names the pictures of `save_image_folder`."""
    with atomic_file(folder / FACEX_LIST) as file:
        for name, target in zip(picture_names(targets), targets.tolist(), strict=True):
            file.write(f"{name} {target}\n".encode())


def remove_image_folder(folder: Path) -> None:
    """Remove imgs/ of an earlier command: only files with names of `picture_names`."""
    top = folder / FOLDER
    for person in top.glob("*"):
        if person.is_dir() and person.name.isdecimal() and len(person.name) >= _DIGITS:
            for path in person.glob("*.jpg"):
                if path.stem.isdecimal() and len(path.stem) >= 9:
                    path.unlink()
            _remove_empty(person)
    _remove_empty(top)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
