"""What a run prints: a table of targets, one of this build beside another, one of the gateway beside other proxies."""

from load import FIELDS, median, ratio


def layout(rows, left=(0,)):
    """Lines: the cells in columns, to the right but for the columns of `left`."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column in left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


class Targets:
    """The rows with their targets beside them."""

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
        print("\nus: the server's CPU for one request.", end=" ")
        print(f"{self.missed} target(s) missed" if self.missed else "every target met")


class Ratios:
    """Figures of the gateway and of another server, and the former's ratio to the latter."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, what, other, ours, figure, unit=""):
        self.rows.append((what, f"{other}{unit}", f"{ours}{unit}", f"{figure:.3f} x"))
        print(f"  {what}: {figure:.3f} x {self.name}", flush=True)

    def add_figure(self, what, other, ours, unit=""):
        """One figure of each, such as a size in MB."""
        self.add(what, f"{other:.2f}", f"{ours:.2f}", ours / other, unit)

    def add_rounds(self, what, other, ours, fields=tuple(FIELDS)):
        """What the rounds of each came to, field by field."""
        for field in fields:
            name, shown = FIELDS[field]
            self.add(f"{what}: {name}", shown(median(other, field)), shown(median(ours, field)),
                     ratio(ours, other, field))

    def show(self):
        print(f"\nThis build to {self.name}")
        print("\n".join(layout([("what", self.name, "this build", "ratio")] + self.rows)))
