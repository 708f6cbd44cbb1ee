"""Rows to events: what is in them, what is refused, what a joined file adds."""

import msgspec
import pytest

from tests.intake.imports import DEALS, DEALS_HEADER, GENERATION_MS, NOW_US, Folder, accepted

ROW = DEALS_HEADER + "501,r-1,Basic,2017-03-01,won,2017-04-15,1200.50\n"


def test_a_won_row_is_a_creation_and_a_win(folder: Folder) -> None:
    created, won = folder.records(DEALS, ROW)

    assert msgspec.json.decode(created.value) == {
        "specversion": "1.0",
        "id": "501/deal.created/8f8a7ee1e719257d",
        "source": "//crm/sales",
        "type": "crm.deal.created.v1",
        "time": "2017-02-28T23:00:00Z",
        "sequence": (2 * 10**13 - 1 - GENERATION_MS) * 100,
        "partitionkey": "crm/sales/deal/501",
        "data": {"deal_id": "crm/sales/deal/501", "rep": "r-1", "product_line": "Basic"},
    }
    assert msgspec.json.decode(won.value) == {
        "specversion": "1.0",
        "id": "501/deal.won/06693ca2add601ae",
        "source": "//crm/sales",
        "type": "crm.deal.won.v1",
        "time": "2017-04-14T22:00:00Z",
        "sequence": (3 * 10**13 + GENERATION_MS) * 100 + 1,
        "partitionkey": "crm/sales/deal/501",
        "data": {"deal_id": "crm/sales/deal/501", "amount": "1200.50"},
    }
    assert created.key == won.key == b"crm/sales/deal/501"


def test_a_record_has_the_time_of_its_event(folder: Folder) -> None:
    assert [r.timestamp_ms for r in folder.records(DEALS, ROW)] == [1488322800000, 1492207200000]


def test_the_events_of_a_row_come_in_the_order_of_their_times(folder: Folder) -> None:
    rows = DEALS_HEADER + "501,r-1,Basic,2017-06-01,won,2017-04-15,1\n"

    types = [value["type"] for value in folder.values(DEALS, rows)]

    assert types == ["crm.deal.won.v1", "crm.deal.created.v1"]


def test_an_empty_cell_says_nothing(folder: Folder) -> None:
    assert folder.data(DEALS, DEALS_HEADER + "501, ,,2017-03-01,open,,\n") == [
        {"deal_id": "crm/sales/deal/501"}
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(
            "501,r-1,Basic,Jane Doe,won,2017-04-15,1",
            "column 'created' looks like 'Aaaa Aaa', expected a time as ISO 8601",
            id="a name for a date",
        ),
        pytest.param(
            "501,r-1,Basic,2017-03-01,won,,1",
            "column 'closed' is empty, but is the time of crm.deal.won.v1",
            id="no time",
        ),
        pytest.param(
            '501,r-1,Basic,2017-03-01,won,2017-04-15,"1,5"',
            "column 'amount' looks like '9,9', expected a number like -1234.5",
            id="another decimal separator",
        ),
        pytest.param(
            "501,r-1,Basic,2017-03-01,won,2026-11-23,1",
            "column 'closed' lies in the future, so it is no history",
            id="the future",
        ),
        pytest.param(
            "501,r-1,Basic,1969-12-31,won,2017-04-15,1",
            "column 'created' lies before 1970, which Kafka cannot date",
            id="before Kafka's time",
        ),
        pytest.param(
            ",r-1,Basic,2017-03-01,won,2017-04-15,1",
            "column 'id' is empty, but identifies the row",
            id="no identity",
        ),
    ],
)
def test_a_row_is_refused_whole_with_its_line_and_without_its_content(
    folder: Folder, row: str, reason: str
) -> None:
    good = "502,r-1,Basic,2017-03-01,open,,\n"

    made = folder.outcomes(DEALS, f"{DEALS_HEADER}{row}\n{good}")

    assert [(o.row.line, o.refused) for o in made] == [(2, reason), (3, None)]
    assert [len(o.records) for o in made] == [0, 1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(
            f"501,r-1,{'x' * 257},2017-03-01,won,2017-04-15,1",
            "crm.deal.created.v1 would be refused: schema, data.product_line",
            id="a text too long",
        ),
        pytest.param(
            "501,r-1,Basic,2017-03-01,won,2017-04-15,1.00001",
            "crm.deal.won.v1 would be refused: bad_number, data.amount",
            id="an amount too exact",
        ),
    ],
)
def test_what_the_worker_would_refuse_is_not_sent(folder: Folder, row: str, reason: str) -> None:
    ((line, refused),) = folder.refusals(DEALS, f"{DEALS_HEADER}{row}\n")

    assert (line, refused.partition(":")[0]) == (2, reason.partition(":")[0])
    assert refused.startswith(reason)


def test_an_instant_of_now_is_history(folder: Folder) -> None:
    mapping = DEALS + "format: {dates: epoch_ms}\n"
    rows = f"{DEALS_HEADER}501,r-1,Basic,{NOW_US // 1000},open,,\n"

    assert len(folder.records(mapping, rows)) == 1


def test_what_is_skipped_says_why(folder: Folder) -> None:
    mapping = DEALS + "skip: {when: {created: empty, closed: empty}, reason: no date}\n"
    rows = DEALS_HEADER + "1,,,,,,\n2,,,2017-03-01,,,\n"

    made = folder.outcomes(mapping, rows)

    assert [(o.skipped, len(o.records)) for o in made] == [("no date", 0), (None, 1)]


def test_a_row_that_no_rule_wants_is_counted_and_not_lost(folder: Folder) -> None:
    mapping = """
source: //crm/sales
identity: id
events: [{type: crm.deal.won.v1, when: {status: [won, Won]}, time: closed}]
"""

    (made,) = folder.outcomes(mapping, DEALS_HEADER + "1,,,,WON,2017-03-01,\n")

    assert (made.skipped, made.records, made.refused) == ("no event applies", (), None)


def test_an_unexpected_text_refuses_the_row(folder: Folder) -> None:
    mapping = DEALS + "expect: {status: [won, lost, empty], id: present}\n"
    rows = DEALS_HEADER + "1,,,2017-03-01,wonn,,\n2,,,2017-03-01,,,\n"

    assert folder.refusals(mapping, rows) == [
        (2, "column 'status' holds something else than empty, lost, won")
    ]


def test_repairs_come_before_joins_and_conditions(folder: Folder) -> None:
    folder.write("prices.csv", "name,series\nGTX Pro,GTX\nMG,\n")
    mapping = (
        DEALS.replace("product_line: product", "product_line: series")
        + """
joins: {file: prices.csv, on: product, key: name, take: [series]}
replace: {product: {GTXPro: GTX Pro, none: }, series: {GTX: Graphics}, status: {gewonnen: won}}
"""
    )
    rows = (
        DEALS_HEADER
        + "1,,GTXPro,2017-03-01,gewonnen,2017-03-02,\n2,,MG,2017-03-01,,,\n"
        + "3,,none,2017-03-01,,,\n4,,XX,2017-03-01,,,\n"
    )

    made = folder.outcomes(mapping, rows)

    data = [msgspec.json.decode(o.records[0].value)["data"].get("product_line") for o in made]
    assert data == ["Graphics", None, None, None]
    assert len(made[0].records) == 2
    assert [o.unmatched for o in made] == [0, 0, 0, 1]


def test_every_kind_of_field_is_converted(folder: Folder) -> None:
    mapping = """
source: //crm/sales
identity: id
opaque: [who]
format: {delimiter: ";", decimal: ",", dates: ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}
columns: {second: {header: x, nth: 2}, moved: {header: at, dates: epoch}}
events:
  - type: crm.deal.created.v1
    time: moved
    data:
      deal_id: no
      lead_id: lead
      lead_created_at: lead_at
      customer_id: who
      amount: amount
      currency: {value: USD}
      new_business: new
      expected_close_on: closes
      segment: second
      lines:
        - {product_line: x1, amount: amount, cost: {value: "1.5"}}
        - {product_line: nothing}
  - type: crm.survey.submitted.v1
    time: lead_at
    data: {survey_id: no, kind: {value: csat}, score: score, scale_max: {value: 10}, deal_id: no}
"""
    rows = (
        "id;no;lead;lead_at;who;amount;new;closes;x;x;x1;at;nothing;score\n"
        "a;5/1;9;01.03.2017 12:00;c-1;1.234,56;no;31.12.2017;no;Big;Line;1488366000;;9.0\n"
    )

    made = folder.outcomes(mapping, rows)

    assert made[0].refused is None
    values = [msgspec.json.decode(record.value) for record in made[0].records]
    assert {value["type"]: value["data"] for value in values} == {
        "crm.deal.created.v1": {
            "deal_id": "crm/sales/deal/5%2F1",
            "lead_id": "crm/sales/lead/9",
            "lead_created_at": "2017-03-01T11:00:00Z",
            "customer_id": "crm/sales/customer/c-1",
            "amount": "1234.56",
            "currency": "USD",
            "new_business": False,
            "expected_close_on": "2017-12-31",
            "segment": "Big",
            "lines": [{"product_line": "Line", "amount": "1234.56", "cost": "1.5"}],
        },
        "crm.survey.submitted.v1": {
            "survey_id": "crm/sales/survey/5%2F1",
            "kind": "csat",
            "score": 9,
            "scale_max": 10,
            "deal_id": "crm/sales/deal/5%2F1",
        },
    }
    assert {value["time"] for value in values} == {"2017-03-01T11:00:00Z"}


def test_a_deal_joins_its_leads_thread_where_it_has_one(folder: Folder) -> None:
    mapping = """
source: //crm/sales
identity: id
events: [{type: crm.deal.created.v1, time: created, key: {lead: product}}]
"""
    rows = DEALS_HEADER + "501,,501,2017-03-01,,,\n502,,,2017-03-01,,,\n"

    keys = [record.key for record in folder.records(mapping, rows)]

    assert keys == [b"crm/sales/lead/501", b"crm/sales/deal/502"]


def test_a_row_without_an_id_is_identified_by_what_it_says_however_its_time_is_written(
    folder: Folder,
) -> None:
    mapping = """
source: //survey
format: {dates: ["%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]}
columns: {at: {header: Timestamp, precision: second}, score: "How likely?"}
identity: [at, score]
events: [{type: crm.survey.submitted.v1, time: at, data: {kind: {value: nps}, score: score}}]
"""
    header = "Timestamp,How likely?\n"

    seconds = folder.records(mapping, header + "11/1/2019 8:51:12,9\n")
    fractions = folder.records(mapping, header + "2019-11-01 08:51:12.402,9\n")
    another = folder.records(mapping, header + "2019-11-01 08:51:12.402,8\n")

    assert seconds == fractions
    assert seconds[0].key != another[0].key
    assert accepted(seconds[0]).data["survey_id"] == seconds[0].key.decode()


def test_a_measure_without_an_id_is_its_row(folder: Folder) -> None:
    mapping = """
source: //ci
identity: id
events:
  - {type: crm.measure.recorded.v1, time: created, data: {measure: {value: defects}, value: amount}}
"""

    (data,) = folder.data(mapping, DEALS_HEADER + "7,,,2017-03-01,,,12\n")

    assert data == {"measure": "defects", "value": "12", "measure_id": "ci/measure/7"}
