"""The report of a sweep."""

from __future__ import annotations

from pathlib import Path

from tf_vmf.measures import COMPARED, MEASURES, Measure
from tf_vmf.report.engine.serialization import to_json
from tf_vmf.report.page import sweep_plot
from tf_vmf.report.page.page import Block, Code, Headline, Image, Section, Table, Text, write_report
from tf_vmf.report.sections.sweep import SweepFindings, SweepPoint


def sweep_report(path: str | Path, findings: SweepFindings, *, title: str = "Sweep") -> None:
    """Writes an HTML report of a sweep: curves over the first setting, a line for every combination of the others, and a table.

    ```python
    point = tf_vmf.report.SweepPoint  # tf_vmf.report.sweep_points reads them from folders of runs
    figures = {"perplexity": (801.0, 803.0), "nll": (620.4, 620.9), "kl": (18.8, 18.8), "code_gain": (128.0, 127.0)}
    points = [point({"latent_dim": "25"}, figures), point({"latent_dim": "50"}, {**figures, "perplexity": (790.0, 793.0)})]
    tf_vmf.report.sweep_report("report.html", tf_vmf.report.find_sweep(points))
    ```

    Args:
        path: The file to write.
        findings: What `tf_vmf.report.find_sweep` returned.
        title: The heading.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib is not installed.
    """
    runs = sum(point.num_seeds for point in findings.points)
    measures = ", ".join(
        f"{_heading(MEASURES[name])}: {MEASURES[name].title()}"
        for name in ("perplexity", "document_perplexity", "iw_perplexity")
    )
    blocks: list[Block] = [
        Image(sweep_plot.sweep(findings.points), _caption(findings)),
        sweep_table(findings),
        Text(f"Columns: {measures}. The others are in nats per example."),
        Text(verdict(findings)),
        Text(
            "All figures are of the validation split. Settings that are chosen by it look a little better on it than they are: "
            "measure the chosen one once on the test split, and quote that figure."
        ),
    ]
    if findings.failures:
        blocks.append(Table(("Failed runs",), [(failure,) for failure in findings.failures]))
    sections = [Section("Results", blocks)]
    if findings.command:
        sections.append(Section("Protocol", [Text("This command repeats the sweep:"), Code(findings.command)]))
    settings = f"{len(findings.points)} setting{'s' if len(findings.points) > 1 else ''}"
    write_report(
        path,
        title=title,
        subtitle=f"{runs} run{'s' if runs > 1 else ''} of {settings}",
        headlines=_headlines(findings),
        sections=sections,
        findings=to_json(findings),
    )


def sweep_table(findings: SweepFindings) -> Table:
    """A row per setting, lowest perplexity first: mean over seeds, ± the standard deviation where there are several."""
    points = findings.ranked
    names = list(points[0].setting)
    titles = [name.replace("_", " ").capitalize() for name in names]
    measures = [MEASURES[name] for name in COMPARED if all(name in point.figures for point in points)]
    rows = [
        (
            *(point.setting[name] for name in names),
            point.num_seeds,
            *(_with_deviation(point, measure.name) for measure in measures),
        )
        for point in points
    ]
    header = (*titles, "Seeds", *(_heading(measure) for measure in measures))
    return Table(header, rows, numeric=range(len(titles), len(header)), highlight=(0,) if findings.is_clear else ())


def _heading(measure: Measure) -> str:
    """The short name of a measure, with its unit where it has one."""
    short = measure.short.format(example="example")
    return f"{short}, nats" if measure.unit else short


def verdict(findings: SweepFindings) -> str:
    """A sentence on which setting the perplexities favor."""
    if not findings.comparable:
        return (
            "The runs were validated on different numbers of examples or tokens. Their perplexities do not compare, and no "
            "setting is named."
        )
    if len(findings.points) == 1:
        return "There is one setting, so nothing to compare."
    if any(point.num_seeds == 1 for point in findings.ranked[:2]):
        return (
            f"The two lowest perplexities differ by {findings.difference:.1f}. At least one of the two is a single run: "
            "differences below the spread between seeds mean nothing, and one seed does not tell the spread. Vary the seed, too."
        )
    measured = (
        f"The two lowest mean perplexities differ by {findings.difference:.1f}, with a standard error of "
        f"{findings.difference_error:.1f} over seeds"
    )
    if findings.is_clear:
        return f"{measured}: the lowest is ahead by more than two standard errors."
    return f"{measured}: less than two standard errors, so the seeds do not tell which of the two settings is better."


def _caption(findings: SweepFindings) -> str:
    caption = "Validation figures of each setting."
    if any(point.num_seeds > 1 for point in findings.points):
        caption += " Points are means over seeds, bars their standard deviation."
    swept = next(iter(findings.points[0].setting), None)
    values = {point.setting[swept] for point in findings.points} if swept is not None else set()
    numbers = {value for value in values if _is_number(value)}
    if numbers and numbers != values:
        caption += " Dashed lines: values that are not numbers."
    return caption


def _headlines(findings: SweepFindings) -> list[Headline]:
    if not findings.comparable:
        return []
    point = findings.ranked[0]
    several = len(findings.points) > 1
    if point.num_seeds > 1:
        note = f"mean of {point.num_seeds} seeds"
    else:
        note = "one seed" + (": no evidence that it is best" if several else "")
    if several and findings.is_clear:
        note = f"{note}; ahead by more than two standard errors"
    headlines = [
        Headline(
            MEASURES["perplexity"].format(point.mean("perplexity")),
            "lowest validation perplexity" if several else "validation perplexity",
            note,
        )
    ]
    headlines += [Headline(value, f"{name.replace('_', ' ')} of this setting") for name, value in point.setting.items()]
    return headlines + [
        Headline(
            MEASURES[name].format(point.mean(name)),
            f"its {MEASURES[name].short}",
            MEASURES[name].unit.format(example="example"),
        )
        for name in ("kl", "code_gain")
        if name in point.figures
    ]


def _with_deviation(point: SweepPoint, measure: str) -> str:
    mean = MEASURES[measure].format(point.mean(measure))
    return f"{mean} ± {MEASURES[measure].format(point.deviation(measure))}" if point.num_seeds > 1 else mean


def _is_number(text: str) -> bool:
    return sweep_plot.number(text) is not None
