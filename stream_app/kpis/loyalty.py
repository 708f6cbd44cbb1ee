"""Loyalty: what customers say."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="nps",
        formula=(
            "100 * (nps_promoters - nps_detractors) / (nps_promoters + nps_passives + "
            "nps_detractors)"
        ),
        unit="points",
        better="higher",
        title="Net promoter score",
        definition="Share of promoters (9-10) minus share of detractors (0-6), times 100.",
        extra=("theme",),
        headline=True,
    ),
    Definition(
        name="csat",
        formula="csat_satisfied / csat_responses",
        unit="ratio",
        better="higher",
        title="Customer satisfaction",
        definition="Share of answers 4 and 5 on the scale of 1 to 5.",
        extra=("theme",),
        headline=True,
    ),
    Definition(
        name="csat_10",
        formula="csat10_satisfied / csat10_responses",
        unit="ratio",
        better="higher",
        title="Satisfaction, of 10",
        definition="Share of answers 9 and 10 on the scale of 1 to 10.",
        extra=("theme",),
    ),
    Definition(
        name="csat_mean",
        formula="csat_score / csat_responses",
        unit="points",
        better="higher",
        title="Mean answer, of 5",
        definition="Mean answer on the scale of 1 to 5.",
        extra=("theme",),
    ),
    Definition(
        name="csat_10_mean",
        formula="csat10_score / csat10_responses",
        unit="points",
        better="higher",
        title="Mean answer, of 10",
        definition="Mean answer on the scale of 1 to 10.",
        extra=("theme",),
    ),
)
