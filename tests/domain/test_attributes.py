"""Rule 2: attributes merge, deals inherit, and each dimension has its credit rule."""

import pytest

from stream_app.config.model import Rep
from tests.domain.stories import Story


def test_an_absent_field_means_unchanged():
    story = Story().tell("deal.created", "02 10:00", source="web").tell("deal.won", "03 10:00")
    assert story.members("deals_won", "source") == {"web": 1}


def test_null_means_cleared():
    story = Story().tell("deal.created", "02 10:00", source="web")
    story.tell("deal.won", "03 10:00", source=None)
    assert story.members("deals_won", "source") == {"unassigned": 1}


def test_a_cleared_value_is_inherited_again():
    story = Story().tell("lead.created", "01 10:00", source="fair")
    story.tell("deal.created", "02 10:00", source="web").tell("deal.won", "03 10:00", source=None)
    assert story.members("deals_won", "source") == {"fair": 1}


def test_a_deal_inherits_what_it_does_not_say_from_the_only_lead():
    story = Story().tell("lead.created", "01 10:00", source="fair", technique="call")
    story.tell("deal.created", "02 10:00", source="web")
    assert story.members("deals_created", "source+technique") == {"web+call": 1}


def test_of_several_leads_a_deal_inherits_from_the_one_it_names():
    story = Story().tell("lead.created", "01 10:00", lead_id="l1", source="fair")
    story.tell("lead.created", "01 11:00", lead_id="l2", source="web")
    story.tell("deal.created", "02 10:00", deal_id="d1")
    story.tell("deal.created", "02 10:00", deal_id="d2", lead_id="l2")
    assert story.members("deals_created", "source") == {"unassigned": 1, "web": 1}


def test_a_lead_of_another_thread_gives_no_values():
    story = Story().tell("lead.created", "01 10:00", lead_id="l1", source="fair")
    story.tell("deal.created", "02 10:00", lead_id="elsewhere")
    assert story.members("deals_created", "source") == {"unassigned": 1}


def test_a_second_lead_takes_the_first_away_from_deals_that_name_none():
    story = Story().tell("lead.created", "01 10:00", lead_id="l1", source="fair")
    story.tell("deal.created", "02 10:00").tell("lead.created", "03 10:00", lead_id="l2")
    assert story.members("deals_created", "source") == {"unassigned": 1}


def test_a_deleted_lead_still_is_the_only_one_and_gives_its_values():
    story = Story().tell("lead.created", "01 10:00", source="fair").tell("lead.deleted", "02 10:00")
    story.tell("deal.created", "03 10:00")
    assert story.members("deals_created", "source") == {"fair": 1}


def test_a_correction_of_a_latest_dimension_moves_the_whole_history():
    story = Story().tell("deal.created", "02 10:00", source="web").tell("deal.won", "03 10:00")
    story.tell("deal.updated", "09 10:00", source="fair")
    assert story.members("deals_created", "source") == {"fair": 1}
    assert story.members("deals_won", "source") == {"fair": 1}


def test_rep_and_team_are_those_in_force_when_it_happened():
    story = Story().tell("deal.created", "02 10:00", rep="ann")
    story.tell("deal.updated", "03 09:00", rep="bob")
    story.tell("deal.won", "04 10:00").tell("deal.updated", "05 10:00", rep="cid")
    assert story.members("deals_created", "rep") == {"ann": 1}
    assert story.members("deals_won", "rep") == {"bob": 1}


def test_an_at_time_value_is_corrected_from_the_time_of_the_update():
    story = Story().tell("deal.created", "02 10:00", rep="ann").tell("deal.won", "04 10:00")
    story.tell("deal.updated", "03 10:00", rep="bob")
    assert story.members("deals_won", "rep") == {"bob": 1}


def test_an_update_of_the_very_instant_of_winning_counts_for_the_win():
    story = Story().tell("deal.created", "02 10:00", rep="ann").tell("deal.won", "04 10:00")
    story.tell("deal.updated", "04 10:00", rep="bob")
    assert story.members("deals_won", "rep") == {"bob": 1}


def test_a_stock_moves_on_the_day_of_the_change():
    story = Story().tell("deal.created", "02 10:00", rep="ann", amount="100")
    story.tell("deal.updated", "05 10:00", rep="bob")
    assert story.days("open_deals", "rep", "ann") == {"02": 1, "05": -1}
    assert story.days("open_value/EUR", "rep", "bob") == {"05": 10_000}


def test_a_stock_moves_when_the_lead_changes_what_the_deal_inherits():
    story = Story().tell("lead.created", "01 10:00", rep="ann").tell("deal.created", "02 10:00")
    story.tell("lead.updated", "05 10:00", rep="bob")
    assert story.days("open_deals", "rep", "ann") == {"02": 1, "05": -1}
    assert story.days("open_deals", "rep", "bob") == {"05": 1}


def test_a_stock_of_a_latest_dimension_has_always_been_where_it_is_now():
    story = Story().tell("deal.created", "02 10:00", source="web")
    story.tell("deal.updated", "05 10:00", source="fair")
    assert story.days("open_deals", "source", "fair") == {"02": 1}
    assert story.days("open_deals", "source", "web") == {}


@pytest.mark.parametrize(("rule", "counted"), [("at_time", "web"), ("latest", "fair")])
def test_the_credit_rule_of_a_dimension_can_be_overridden(rule: str, counted: str):
    story = Story(credit={"source": rule}).tell("deal.created", "02 10:00", source="web")
    story.tell("deal.updated", "05 10:00", source="fair")
    assert story.members("deals_created", "source") == {counted: 1}


def test_an_absent_value_is_the_member_unassigned():
    story = Story().tell("deal.created", "02 10:00", technique="call")
    assert story.members("deals_created", "source+technique") == {"unassigned+call": 1}


def test_the_team_comes_from_the_directory_where_events_carry_none():
    story = Story().tell("deal.created", "02 10:00", rep="ann")
    assert story.members("deals_created", "team") == {"north": 1}


def test_a_team_that_events_carry_stands_against_the_directory():
    story = Story().tell("lead.created", "01 10:00", team="east")
    story.tell("deal.created", "02 10:00", rep="ann")
    assert story.members("deals_created", "team") == {"east": 1}


def test_a_rep_without_a_team_in_the_directory_has_none():
    story = Story(directory={"ann": Rep(id="ann")}).tell("deal.created", "02 10:00", rep="ann")
    assert story.members("deals_created", "team") == {"unassigned": 1}


def test_measures_of_leads_use_the_leads_values():
    story = Story().tell("lead.created", "01 10:00", source="fair", rep="ann")
    story.tell("deal.created", "02 10:00", source="web", rep="bob").tell("deal.won", "03 10:00")
    assert story.members("leads", "source") == {"fair": 1}
    assert story.members("conversions", "rep") == {"ann": 1}
    assert story.members("deals_won", "rep") == {"bob": 1}


def test_what_a_lead_lacks_is_its_first_deals_as_of_that_deals_first_event():
    story = Story().tell("lead.created", "01 10:00")
    story.tell("deal.created", "03 10:00", deal_id="d2", source="second")
    story.tell("deal.created", "02 10:00", deal_id="d1", source="first", rep="ann")
    story.tell("deal.updated", "04 10:00", deal_id="d1", source="changed", rep="bob")
    assert story.members("leads", "source") == {"first": 1}
    assert story.members("leads", "rep") == {"ann": 1}
    assert story.members("leads", "team") == {"north": 1}


def test_a_deleted_deal_is_no_leads_first_deal():
    story = Story().tell("lead.created", "01 10:00")
    story.tell("deal.created", "02 10:00", deal_id="d1", source="first")
    story.tell("deal.created", "03 10:00", deal_id="d2", source="second")
    story.tell("deal.deleted", "04 10:00", deal_id="d1")
    assert story.members("leads", "source") == {"second": 1}


def test_a_survey_before_its_deals_first_event_has_the_values_of_the_deals_lead():
    story = Story().tell("lead.created", "01 10:00", rep="ann", source="fair")
    story.tell("survey.submitted", "02 10:00", deal_id="d1", kind="nps", score=9)
    assert story.members("nps_promoters", "rep") == {"unassigned": 1}
    story.tell("lead.updated", "03 10:00", rep="bob").tell("deal.created", "04 10:00", rep="bob")
    assert story.members("nps_promoters", "rep") == {"ann": 1}
    assert story.members("nps_promoters", "team") == {"north": 1}
    assert story.members("nps_promoters", "source") == {"fair": 1}
