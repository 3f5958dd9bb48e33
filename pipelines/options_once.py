"""The class of all commands: an option that takes one value is given once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from maskgen.core.reasons import UserError


class OnceCommand(click.Command):
    """A command that refuses an option given twice; click takes its last value and drops the others silently."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As in click.

        Raises:
            UserError: an option that may not be repeated is given more than once.
        """
        # click keeps no record of repetitions, so the words are parsed once more for the order of what was given.
        given = self.make_parser(ctx).parse_args(list(args))[2]
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:  # which is completion in a shell
            _refuse_repeated(given)
        return rest


def _refuse_repeated(given: Iterable[click.Parameter]) -> None:
    for param, count in Counter(given).items():
        if count == 1 or not isinstance(param, click.Option) or param.multiple or param.count:
            continue
        name, value = "/".join([*param.opts, *param.secondary_opts]), param.metavar or param.type.name
        several = f", with commas between its values ({name} {value})" if "," in value else ""
        raise UserError(f"{name} is given {count} times: give it once{several}.")
