"""Poison by reason: a name for every record, so that a failure says which one it was."""

from tests.wire import poison_bytes, poison_data, poison_envelope, poison_numbers
from tests.wire.records import Case

CASES: tuple[Case, ...] = tuple(
    case
    for cases in (
        poison_bytes.too_large,
        poison_bytes.not_json,
        poison_envelope.schema_of_the_envelope,
        poison_envelope.schema_of_ids,
        poison_envelope.schema_of_sequences,
        poison_envelope.schema_of_times,
        poison_envelope.unknown_type,
        poison_data.schema_of_the_data,
        poison_data.schema_of_ids_and_names,
        poison_data.schema_of_money,
        poison_data.schema_of_surveys,
        poison_numbers.bad_number,
        poison_numbers.unknown_names,
        poison_numbers.strange_time,
    )
    for case in cases()
)
