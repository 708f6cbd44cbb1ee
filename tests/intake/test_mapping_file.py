"""Mistakes in mapping files: told all at once, each with its line and the nearest valid name."""

from pathlib import Path

import pytest

from stream_app.config.errors import ConfigErrors
from stream_app.intake.plan import make_plans
from tests.intake.imports import BERLIN, DEALS, DEALS_HEADER, RULES, Folder

GOOD_EVENT = "events: [{type: crm.deal.won.v1, time: closed}]"


def mistakes(folder: Folder, mapping: str, header: str = DEALS_HEADER) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        folder.plan(mapping, header)
    return [line.replace(f"{folder.path}/", "") for line in str(raised.value).splitlines()]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Folder) -> None:
    mapping = """source: //crm/my sales
identity: idd
formatt: {}
format: {decimal: ";", encoding: utf9, timezone: Europe/Berln, dates: dd.mm.yyyy}
events:
  - type: crm.deal.wonn.v1
    time: closed
  - type: crm.deal.won.v1
    time: closd
    when: {stattus: won}
    data: {amont: amount}
"""

    assert mistakes(folder, mapping) == [
        (
            "mapping.yaml:1: source: '//crm/my sales' cannot be a name here; use a URI reference "
            "without blanks, like //crm/sales"
        ),
        "mapping.yaml:2: identity: rows.csv has no column 'idd'; did you mean 'id'?",
        "mapping.yaml:3: formatt: unknown key; did you mean 'format'?",
        "mapping.yaml:4: format.decimal: ';' is not one of ., ,",
        "mapping.yaml:4: format.encoding: unknown encoding; did you mean 'utf-16'?",
        (
            "mapping.yaml:4: format.timezone: 'Europe/Berln' is no time zone; "
            "did you mean 'Europe/Berlin'?"
        ),
        (
            "mapping.yaml:4: format.dates: 'dd.mm.yyyy' is no date pattern; write iso, epoch, "
            "epoch_ms or something like '%d.%m.%Y %H:%M'"
        ),
        "mapping.yaml:6: events[0].type: 'crm.deal.wonn.v1' is not one of "
        + ", ".join(RULES.shapes)
        + "; did you mean 'crm.deal.won.v1'?",
        "mapping.yaml:9: events[1].time: rows.csv has no column 'closd'; did you mean 'closed'?",
        (
            "mapping.yaml:10: events[1].when.stattus: rows.csv has no column 'stattus'; "
            "did you mean 'status'?"
        ),
        "mapping.yaml:11: events[1].data.amont: unknown field; did you mean 'amount'?",
    ]


@pytest.mark.parametrize(
    ("section", "mistake"),
    [
        pytest.param(
            "format: {decimal: ',', thousands: ','}",
            "3: format: thousands and decimal are both ','; they must differ",
            id="one character for two",
        ),
        pytest.param(
            "format: {delimiter: '||'}",
            "3: format.delimiter: '||' is not one character; quote it, like ';' (or write tab)",
            id="two characters",
        ),
        pytest.param(
            "columns: {net: {header: amount, nth: 2}}",
            "3: columns.net.header: rows.csv has 1 columns 'amount'; nth: 2 is too large",
            id="not so many of them",
        ),
        pytest.param(
            "joins: {file: nowhere.csv, on: rep, take: [team]}",
            "3: joins.file: nowhere.csv: cannot be read: No such file or directory",
            id="no second file",
        ),
        pytest.param(
            "pseudonyms: {rep: {prefix: R, directory: rep}}",
            "3: pseudonyms.rep.prefix: 'R' cannot be a name here; use lower-case letters and a "
            "dash, like r-",
            id="a prefix of its own",
        ),
        pytest.param(
            "pseudonyms: {rep: {prefix: c-, team: product}}",
            "3: pseudonyms.rep: team is for directory: reps, whose entries have one",
            id="a team where none is kept",
        ),
        pytest.param(
            "skip: {when: {created: empty}}", "3: skip: needs 'reason'", id="a skip without why"
        ),
        pytest.param(
            "expect: {status: []}",
            "3: expect.status: expected texts, or empty, or present, got a list",
            id="nothing expected",
        ),
        pytest.param(
            "replace: {produkt: {a: b}}",
            "3: replace.produkt: rows.csv has no column 'produkt'; did you mean 'product'?",
            id="a repair of no column",
        ),
    ],
)
def test_a_mistake_says_what_was_expected(folder: Folder, section: str, mistake: str) -> None:
    mapping = f"source: //crm/sales\nidentity: id\n{section}\n{GOOD_EVENT}\n"

    assert f"mapping.yaml:{mistake}" in mistakes(folder, mapping)


@pytest.mark.parametrize(
    ("event", "mistake"),
    [
        pytest.param(
            "{type: crm.survey.submitted.v1, time: created, data: {kind: {value: nps}}}",
            "3: events[0]: crm.survey.submitted.v1 needs 'score' in its data",
            id="a required field",
        ),
        pytest.param(
            "{type: crm.survey.submitted.v1, time: created, key: {deel: id}, "
            "data: {kind: product, score: amount}}",
            "3: events[0].key.deel: unknown kind of entity; did you mean 'deal'?",
            id="an unknown thread",
        ),
        pytest.param(
            "{type: crm.lead.created.v1, time: created, key: {deal: id}}",
            "3: events[0].key.deal: a lead may join the thread of: no other entity's; "
            "leave key out for its own",
            id="a thread that is none of its",
        ),
        pytest.param(
            "{type: crm.deal.won.v1, time: closed, data: {rep: rep}}",
            "3: events[0].data.rep: 'rep' fills rep, which must not hold names; give it a "
            "pseudonym (section pseudonyms), or list it under opaque if it holds ids only",
            id="a name that would get out",
        ),
        pytest.param(
            "{type: crm.customer.activated.v1, time: closed}",
            "2: identity: 'id' fills customer_id, which must not hold names; give it a "
            "pseudonym (section pseudonyms), or list it under opaque if it holds ids only",
            id="a customer by the row's identity",
        ),
        pytest.param(
            "{type: crm.deal.won.v1, time: closed, data: {amount: {valeu: 1}}}",
            "3: events[0].data.amount.valeu: unknown key; did you mean 'value'?",
            id="a constant",
        ),
    ],
)
def test_an_event_is_checked_against_the_contract(folder: Folder, event: str, mistake: str) -> None:
    mapping = f"source: //crm/sales\nidentity: id\nevents: [{event}]\n"

    assert f"mapping.yaml:{mistake}" in mistakes(folder, mapping)


def test_a_column_that_is_there_twice_must_be_told_apart(folder: Folder) -> None:
    mapping = "source: //crm/sales\nidentity: id\n" + GOOD_EVENT

    assert mistakes(folder, mapping, "id,closed,closed\n") == [
        (
            "mapping.yaml:3: events[0].time: rows.csv has 2 columns 'closed'; give the one meant a "
            "name of ours, like columns: {our_name: {header: closed, nth: 2}}"
        ),
    ]


def test_another_delimiter_is_suspected(folder: Folder) -> None:
    mapping = "source: //crm/sales\nidentity: id\n" + GOOD_EVENT

    assert mistakes(folder, mapping, "id;closed\n")[0] == (
        "mapping.yaml:2: identity: rows.csv has no column 'id'; known: id;closed "
        "(is the file's delimiter ';'? set format: delimiter)"
    )


def test_a_joined_file_must_not_contradict_itself_and_shows_no_name(folder: Folder) -> None:
    folder.write("teams.csv", "rep,boss\nAda,Bo\nAda,Cy\n")
    mapping = DEALS + "joins: {file: teams.csv, on: rep, take: {team: boss}}\n"

    assert mistakes(folder, mapping) == [
        "teams.csv:3: says otherwise than line 2 with the same key; keep one"
    ]


def test_a_joined_column_must_not_hide_one_of_the_file(folder: Folder) -> None:
    folder.write("teams.csv", "rep,product\nAda,Bo\n")
    mapping = DEALS + "joins: {file: teams.csv, on: rep, take: [product]}\n"

    assert mistakes(folder, mapping) == [
        (
            "mapping.yaml:16: joins.take[0]: 'product' is also a column of rows.csv or of an "
            "earlier join; take it under another name, like take: {our_name: product}"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write at least source, identity and events"),
        ("source: [", "not YAML"),
        ("- a\n", "expected a mapping with source"),
    ],
)
def test_what_is_no_mapping_is_told(folder: Folder, text: str, message: str) -> None:
    assert message in "\n".join(mistakes(folder, text))


def test_a_folder_without_listed_files_is_told(folder: Folder) -> None:
    mapping = folder.write("mapping.yaml", DEALS)

    with pytest.raises(ConfigErrors, match="name the files themselves and not their folder"):
        make_plans(mapping, [folder.path], RULES, BERLIN)


@pytest.mark.parametrize(
    "path", sorted(Path("deploy/mappings").glob("*.yaml")), ids=lambda path: path.name
)
def test_our_own_mapping_files_are_understood(path: Path) -> None:
    missing = path.parent / "no-such-folder" / "export.csv"

    with pytest.raises(ConfigErrors) as raised:
        make_plans(path, [missing], RULES, BERLIN)

    assert str(raised.value) == (
        f"{path}: files: {missing}: cannot be read: No such file or directory"
    )
