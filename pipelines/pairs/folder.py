"""OUT of `maskgen pairs`: its allowed content at the start, and the mark of interrupted work."""

from __future__ import annotations

import json
from pathlib import Path

from maskgen.core.checksummed_json import parse_checksummed
from maskgen.core.reasons import UserError

from ..checks import differences
from ..folder_owner import Owner, refuse_other_owner
from ..runs.json_files import checksummed_bytes
from .settings import EXTRA_FILES, PairsSettings

PAGE = "report.html"


def refuse_out(settings: PairsSettings) -> None:
    """Raise UserError where OUT cannot hold the lists."""
    from maskgen.manifests.schema import CATALOGUE

    out = settings.out
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file: give a folder.")
    if (out / CATALOGUE).exists():
        raise UserError(f"{out} is the folder of a run: give the lists one of their own, as {out / 'lists'}.")
    refuse_other_owner(out, Owner.PAIRS, "OUT")
    if not settings.overwrite:
        _refuse_others(out, _as_stored(settings))


def open_out(settings: PairsSettings) -> None:
    """Clear OUT of earlier lists, and mark it as unfinished until the report is written."""
    from maskgen.core.atomic_writes import remove_parts, write_atomic
    from maskgen.manifests.formats import tar_set
    from maskgen.manifests.formats.image_folder import remove_image_folder
    from maskgen.manifests.schema import REPORT, UNFINISHED

    ours = any((settings.out / name).exists() for name in (REPORT, UNFINISHED))
    remove_parts(settings.out, "*" if ours else UNFINISHED)
    write_atomic(settings.out / UNFINISHED, checksummed_bytes({"settings": _as_stored(settings)}), durable=True)
    tars = settings.out / tar_set.FOLDER
    files = (settings.out / name for name in (REPORT, *_all_files()))
    for path in (*files, *tars.glob(tar_set.PATTERN)):
        path.unlink(missing_ok=True)
    if ours:  # folders of these names may belong to the user
        remove_image_folder(settings.out)
        for path in (settings.out / "hub").glob("*/*-of-*.parquet"):
            path.unlink()


def _as_stored(settings: PairsSettings) -> dict[str, object]:
    """The settings that decide the output, as they are read back from a JSON file."""
    stored: dict[str, object] = json.loads(json.dumps(settings.deciding()))
    return stored


def _all_files() -> list[str]:
    from maskgen.manifests import schema

    lists = [schema.TRAIN, schema.EVAL_SAME, schema.EVAL_DIFF, schema.TEST, schema.PEOPLE, schema.LEFT_OUT]
    return [
        *lists,
        schema.TRAIN_PREVIEW,
        schema.PAIRS_PREVIEW,
        PAGE,
        *dict.fromkeys(name for names in EXTRA_FILES.values() for name in names),
    ]


def _refuse_others(out: Path, asked: dict[str, object]) -> None:
    """Raise UserError where OUT holds lists with other settings, or other files."""
    from maskgen.manifests.schema import REPORT, UNFINISHED

    for name in (REPORT, UNFINISHED):
        if (out / name).exists():
            changed = differences(_stored_settings(out / name), asked)
            if changed:
                raise UserError(
                    f"{out} holds lists with other settings: {changed[0]}; give another folder, or --overwrite."
                )
            return
    there = [name for name in (*_all_files(), "imgs", "hub") if (out / name).exists()]
    if there:
        raise UserError(f"{out} holds {there[0]} of another origin: give another folder, or --overwrite.")


def _stored_settings(path: Path) -> dict[str, object]:
    try:
        stored = parse_checksummed(path.read_bytes())["settings"]
    except (ValueError, KeyError) as error:
        raise UserError(
            f"{path} is damaged, or of another version of `maskgen pairs` ({error}): use another folder or --overwrite."
        ) from None
    return stored if isinstance(stored, dict) else {}
