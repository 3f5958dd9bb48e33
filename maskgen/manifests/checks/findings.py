"""What a check of lists finds: faults and notes, with examples, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass

EXAMPLES = 3  # that a finding names, of all it counts


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one file (or of all): how many faults it found, with a few examples.

    A finding that is no `fault` is worth knowing and does not change the exit code.
    """

    file: str
    check: str
    count: int
    examples: tuple[str, ...] = ()
    fault: bool = True

    def text(self) -> str:
        """For a terminal: a line, and one for each example."""
        mark = "ok" if not self.count else "FAULT" if self.fault else "note"
        lines = [f"  {mark:<6}{self.check:<58}{self.count:>10,}"]
        return "\n".join([*lines, *(f"          {example}" for example in self.examples)])


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: rows by file and every finding, those of no faults too."""

    rows: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def n_faults(self) -> int:
        """Faults in all."""
        return sum(finding.count for finding in self.findings if finding.fault)

    def table(self, verbose: bool = False) -> str:
        """For a terminal: faults and notes by file, with `verbose` each check, then one line that sums up."""
        lines: list[str] = []
        for file in dict.fromkeys([*self.rows, *(one.file for one in self.findings)]):
            shown = [one.text() for one in self.findings if one.file == file and (verbose or one.count)]
            rows = f", {self.rows[file]:,} rows" if file in self.rows else ""
            lines += [f"{file}{rows}", *shown] if shown else []
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """One line: what was looked at, and what was found.

        Example:
            >>> Checked({"train.csv": 1200}, (Finding("train.csv", "images listed twice", 0),)).summary()
            'Nothing is wrong: 1 file, 1,200 rows, 1 check.'
        """
        n, notes = self.n_faults, sum(bool(one.count) and not one.fault for one in self.findings)
        found = f"{_count(n, 'fault')}" if n else "Nothing is wrong"
        noted = f", {_count(notes, 'note')}" if notes else ""
        looked = [
            _count(len(self.rows), "file"),
            _count(sum(self.rows.values()), "row"),
            _count(len(self.findings), "check"),
        ]
        return f"{found}{noted}: {', '.join(looked)}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
