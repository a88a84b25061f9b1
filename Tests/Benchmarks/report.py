"""The tables that a run prints: the targets, and comparisons with another build and with other proxies."""

from load import FIELDS, median, ratio


def layout(rows, left=(0,)):
    """Yields the rows as lines with aligned columns. Columns are right-aligned, except for those in `left`."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column in left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


class Targets:
    """The rows, each with its target."""

    HEAD = ("what", "nginx", "gateway", "figure", "target", "", "nginx us", "gateway us")

    def __init__(self):
        self.rows = []
        self.missed = 0

    def add(self, what, nginx="", gateway="", figure="", target="", kept=None, cpu=("", "")):
        verdict = "" if kept is None else "met" if kept else "MISSED"
        self.missed += kept is False
        self.rows.append((what, nginx, gateway, figure, target, verdict, *cpu))
        print(f"  {what}: {figure} {f'(target {target}: {verdict.lower()})' if verdict else ''}", flush=True)

    def show(self):
        if not self.rows:
            return
        print()
        print("\n".join(layout([self.HEAD] + self.rows, left=(0, 5))))
        print("\nus: microseconds of the server's CPU time per request.", end=" ")
        print(f"{self.missed} target(s) missed" if self.missed else "all targets met")


class Ratios:
    """Figures of the gateway and of another server, with their ratios."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, what, other, ours, figure, unit=""):
        self.rows.append((what, f"{other}{unit}", f"{ours}{unit}", f"{figure:.3f} x"))
        print(f"  {what}: {figure:.3f} x {self.name}", flush=True)

    def add_figure(self, what, other, ours, unit=""):
        """Adds a row that compares one figure, such as a size in MB."""
        self.add(what, f"{other:.2f}", f"{ours:.2f}", ours / other, unit)

    def add_rounds(self, what, other, ours, fields=tuple(FIELDS)):
        """Adds a row for each field of the rounds."""
        for field in fields:
            name, shown = FIELDS[field]
            self.add(f"{what}: {name}", shown(median(other, field)), shown(median(ours, field)),
                     ratio(ours, other, field))

    def show(self):
        print(f"\nThis build compared with {self.name}")
        print("\n".join(layout([("what", self.name, "this build", "ratio")] + self.rows)))
