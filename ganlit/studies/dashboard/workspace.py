"""The layout as a workspace of W&B, by its own library."""

from __future__ import annotations

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces.reports.v2.interface import Panel as WandbPanel

from ganlit.studies.dashboard.layout import Panel, Section

X = "kimg"
SEEDS = "setting"  # in the configuration of a run: alike in those that differ in their seed only


def workspace(sections: tuple[Section, ...], entity: str, project: str) -> ws.Workspace:
    """A workspace that has not been saved."""
    return ws.Workspace(
        entity=entity,
        project=project,
        name="ganlit",
        sections=[
            ws.Section(
                name=section.title,
                panels=[panel_of(panel) for panel in section.panels],
                is_open=True,
                layout_settings=ws.SectionLayoutSettings(
                    columns=section.columns, rows=-(-len(section.panels) // section.columns)
                ),
                panel_settings=ws.SectionPanelSettings(x_axis=X),
            )
            for section in sections
        ],
        settings=ws.WorkspaceSettings(x_axis=X, max_runs=50),
    )


def panel_of(panel: Panel) -> WandbPanel:
    """A panel in W&B's own terms."""
    if panel.kind == "pictures":
        return wr.MediaBrowser(title=panel.title, media_keys=list(panel.keys), num_columns=1)
    if panel.kind == "importance":
        return wr.ParameterImportancePlot(with_respect_to=panel.score)
    if panel.kind == "parallel":
        metrics = [*map(wr.Config, panel.keys), wr.SummaryMetric(panel.score)]
        return wr.ParallelCoordinatesPlot(
            title=panel.title, columns=[wr.ParallelCoordinatesPlotColumn(metric=metric) for metric in metrics]
        )
    bands = {"groupby": wr.Config(SEEDS), "groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"}
    shares = {"plot_type": "stacked-area", "max_runs_to_show": 1}
    return wr.LinePlot(
        title=panel.title,
        x=X,
        y=list(panel.keys),
        metric_regex=panel.pattern,
        log_y=panel.log or None,
        **(bands if panel.bands and panel.kind == "lines" else {}),
        **(shares if panel.kind == "shares" else {}),
    )
