"""Which windows a change of some cells can reach."""

import pytest

from stream_app.company import Company
from stream_app.domain.evaluation import Evaluator
from stream_app.domain.measures import AGED, STOCKS
from stream_app.domain.rules import FoldRules
from stream_app.domain.windows import WindowRules, last_instant_of
from stream_app.stages.scopes import Dirt

TODAY = 739_600


@pytest.mark.parametrize("measure", sorted(AGED | STOCKS))
def test_what_has_a_level_or_an_age_reaches_every_later_window(
    dated: Company, measure: str
) -> None:
    calendar = FoldRules.from_config(dated.config).calendar
    evaluator = Evaluator(dated.catalogue, WindowRules.from_config(dated.config, calendar))
    windows = evaluator.windows_at(last_instant_of(TODAY, calendar))
    dirt = Dirt()

    dirt.note(TODAY - 45, {measure})

    assert [w.kind for w in windows if not w.complete and not dirt.touches(w)] == []
