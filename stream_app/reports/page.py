"""A report as one HTML file that asks nothing of anybody: styles and pictures are inside (pure)."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from stream_app.reports.charts import chart, sparkline
from stream_app.reports.coaching import PRIVACY, Page
from stream_app.reports.contents import Contents
from stream_app.reports.figures import SMALL_SAMPLE


def html_page(contents: Contents, pages: Sequence[Page] = ()) -> str:
    """The whole file; every text from outside is escaped."""
    environment = Environment(
        loader=PackageLoader("stream_app.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    headlines = [figure for figure in contents.figures if figure.kpi.definition.headline]
    targeted = [f for f in contents.figures if f.targets and not f.kpi.definition.headline]
    charts = [chart(figure, contents.currency) for figure in (*headlines, *targeted)]
    return environment.get_template("report.html.j2").render(
        report=contents,
        tiles=[f for f in (*headlines, *targeted) if f.exists and f.value is not None],
        charts=[each for each in charts if each is not None],
        pages=pages,
        privacy=PRIVACY,
        small_sample=SMALL_SAMPLE,
        sparkline=sparkline,
    )
