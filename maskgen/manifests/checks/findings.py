"""Findings of the checks: faults and notes, with examples, and their table."""

from __future__ import annotations

from dataclasses import dataclass

from maskgen.core.reasons import counted

EXAMPLES = 3  # examples per finding


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check of one file (or of all): the number of faults, with a few examples.

    A finding without `fault` is a note and does not change the exit code.
    """

    file: str
    check: str
    count: int
    examples: tuple[str, ...] = ()
    fault: bool = True

    def text(self) -> str:
        """The printed lines: the finding, and one line per example."""
        mark = "ok" if not self.count else "FAULT" if self.fault else "note"
        lines = [f"  {mark:<6}{self.check:<58}{self.count:>10,}"]
        return "\n".join([*lines, *(f"          {example}" for example in self.examples)])


@dataclass(frozen=True, slots=True)
class Checked:
    """All results: rows by file and every finding, including those without faults."""

    rows: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def n_faults(self) -> int:
        """The total number of faults."""
        return sum(finding.count for finding in self.findings if finding.fault)

    def table(self, verbose: bool = False) -> str:
        """The printed table: faults and notes by file (with `verbose` every check), then the summary."""
        lines: list[str] = []
        for file in dict.fromkeys([*self.rows, *(one.file for one in self.findings)]):
            shown = [one.text() for one in self.findings if one.file == file and (verbose or one.count)]
            rows = f", {counted(self.rows[file], 'row')}" if file in self.rows else ""
            lines += [f"{file}{rows}", *shown] if shown else []
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """The summary in one line.

        Example:
            >>> Checked({"train.csv": 1200}, (Finding("train.csv", "images listed twice", 0),)).summary()
            'Nothing is wrong: 1 file, 1,200 rows, 1 check.'
        """
        n, notes = self.n_faults, sum(bool(one.count) and not one.fault for one in self.findings)
        found = counted(n, "fault") if n else "Nothing is wrong"
        noted = f", {counted(notes, 'note')}" if notes else ""
        looked = [
            counted(len(self.rows), "file"),
            counted(sum(self.rows.values()), "row"),
            counted(len(self.findings), "check"),
        ]
        return f"{found}{noted}: {', '.join(looked)}."
