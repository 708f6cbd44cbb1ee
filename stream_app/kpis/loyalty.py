"""Loyalty: what customers say."""

from stream_app.domain.kpi import Definition

DEFINITIONS = (
    Definition(
        name="nps",
        formula=(
            "100 * (nps_promoters - nps_detractors)"
            " / (nps_promoters + nps_passives + nps_detractors)"
        ),
        unit="points",
        better="higher",
        title="Net promoter score",
        definition="Share of promoters (9-10) minus share of detractors (0-6), times 100.",
        extra=("theme",),
    ),
    Definition(
        name="csat",
        formula="csat_satisfied / csat_responses",
        unit="ratio",
        better="higher",
        title="Customer satisfaction",
        definition="Share of answers 4 and 5 on the scale of 1 to 5.",
        extra=("theme",),
    ),
)
