"""`--config FILE`: the options of a command from a YAML or JSON file; the command line takes precedence."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskgen.core.reasons import UserError

from .folder_owner import Owner, writer_of
from .options import FilePath
from .options_once import OnceCommand

MOST_BYTES = 1 << 20
_KEY = "maskgen.config"  # of the context's meta: the file's name


class ConfiguredCommand(OnceCommand):
    """A command with --config; errors in a value of the file name the file and the key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As in click; an error that comes from the file names it."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            name = error.param.name if error.param is not None else None
            if name is None or ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
                raise
            raise UserError(f"{ctx.meta[_KEY]}: {_key(name)}: {error.message}") from None


def config_option(*lists: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `--config`.

    Args:
        lists: options that take several values, which a file gives as a list.
    """

    def load(ctx: click.Context, option: click.Parameter, path: Path | None) -> None:
        del option
        if path is not None:
            ctx.meta[_KEY] = str(path)
            ctx.default_map = _defaults(ctx.command, path, lists)

    return click.option(
        "--config",
        metavar="FILE",
        type=FilePath(exists=True, dir_okay=False),
        is_eager=True,
        expose_value=False,
        callback=load,
        help="Options from a YAML or JSON file, or from the settings.json of a run. The command line takes precedence.",
    )


def _defaults(command: click.Command, path: Path, lists: tuple[str, ...]) -> dict[str, Any]:
    """The file's values by parameter, as the text that one would type on the command line."""
    known = {str(param.name): param for param in command.params if param.expose_value}
    found: dict[str, Any] = {}
    for key, value in read_config(path).items():
        name = key.removeprefix("--").replace("-", "_").lower()
        if name not in known:
            near = difflib.get_close_matches(_key(name), map(_key, known), 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(map(_key, known))}."
            raise UserError(f"{path}: there is no option {key!r}: {hint}")
        if name in found:
            raise UserError(f"{path} gives {_key(name)} twice: give it once.")
        if value is None:
            continue
        if getattr(known[name], "multiple", False):
            found[name] = [
                _text(path, key, one, False, False) for one in (value if isinstance(value, list) else [value])
            ]
        else:
            found[name] = _text(path, key, value, name in lists, bool(getattr(known[name], "is_flag", False)))
    return found


def _text(path: Path, key: str, value: Any, several: bool, flag: bool) -> Any:
    if flag:
        if not isinstance(value, bool):
            raise UserError(f"{path}: {key}: {value!r} is neither true nor false.")
        return value
    if several and isinstance(value, list):
        return ",".join(str(_text(path, key, one, False, False)) for one in value)
    if isinstance(value, (list, dict)) or value is None:
        raise UserError(f"{path}: {key}: give {'a list of names' if several else 'one value'}, as on the command line.")
    return str(value)


def _key(name: str) -> str:
    return name.replace("_", "-")


def read_config(path: Path) -> Mapping[str, Any]:
    """The options of a file, by name; for the settings.json of a run its `config`.

    Raises:
        UserError: it is not YAML or JSON, gives a key twice, or is not a mapping of options.
    """
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path} is larger than {MOST_BYTES:,} bytes: name a file of options.")
    try:
        stored = _parsed(path.read_bytes().decode("utf-8-sig"))
    except RecursionError:
        raise UserError(f"{path} is nested too deeply: name a file of options.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text: name a file of options.") from None
    except ValueError as error:
        raise UserError(f"{path} {error}: write lines like `per-photo: all`.") from None
    if isinstance(stored, dict) and (writer := writer_of(stored)) not in (None, Owner.MASK):
        raise UserError(
            f"{path} is of maskgen {writer}: name a file of options, or the settings.json of a masking run."
        )
    if isinstance(stored, dict) and {"digest", "settings"} <= set(stored):
        if "config" not in stored:
            raise UserError(f"{path} is of an earlier version, whose settings cannot be used again: write a file.")
        stored = stored["config"]
    if not isinstance(stored, dict) or not all(isinstance(key, str) for key in stored):
        raise UserError(f"{path} is no list of options: write lines like `per-photo: all`.")
    return stored


def _parsed(text: str) -> Any:
    """Parse JSON as JSON, because YAML reads its escaped characters differently; anything else as YAML.

    Raises:
        ValueError: it is neither.
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError:
        pass
    except ValueError as error:
        raise _short(error) from None
    import yaml

    try:
        return yaml.load(text, _unique_keys(yaml.SafeLoader))  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(f"is neither YAML nor JSON{place}") from None
    except ValueError as error:
        raise _short(error) from None


def _short(error: ValueError) -> ValueError:
    """Python's sentence on a number of thousands of digits in the words of a user; other errors as they are."""
    return ValueError("holds a number of too many digits") if "int_max_str_digits" in str(error) else error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"gives {name} twice")
    return dict(pairs)


def _unique_keys(loader: Any) -> Any:
    """A loader that rejects duplicate keys; YAML's own takes the last one."""

    class Unique(loader):  # type: ignore[misc]
        """A safe loader that rejects duplicate keys."""

    def mapping(own: Any, node: Any) -> dict[Any, Any]:
        return _once([(own.construct_object(key), own.construct_object(value, deep=True)) for key, value in node.value])

    Unique.add_constructor("tag:yaml.org,2002:map", mapping)
    return Unique
