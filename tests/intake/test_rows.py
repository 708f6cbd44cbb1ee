"""Rows of CSV files, and the traps in them."""

from dataclasses import replace

import pytest

from stream_app.intake.mapping import Format
from stream_app.intake.rows import UnreadableFile, open_rows
from tests.intake.imports import Folder

PLAIN = Format()


def read(folder: Folder, content: bytes, written: Format = PLAIN) -> list[tuple[int, object]]:
    """Line and cells of each row, or what is wrong with it."""
    with open_rows(folder.write("rows.csv", content), written) as rows:
        return [(row.line, row.problem or row.cells) for row in rows]


def test_a_byte_order_mark_is_no_part_of_the_first_header(folder: Folder) -> None:
    for encoding in ("utf-8-sig", "utf-8"):
        path = folder.write("rows.csv", b"\xef\xbb\xbf id ,b\r\n1,2\r\n")

        with open_rows(path, replace(PLAIN, encoding=encoding)) as rows:
            assert rows.header == ("id", "b")
            assert [row.cells for row in rows] == [["1", "2"]]


def test_a_row_knows_the_line_it_starts_on(folder: Folder) -> None:
    content = b'a,b\n1,"two\nlines"\n\n3,"also\r\ntwo"\n5,6\n'

    assert read(folder, content) == [
        (2, ["1", "two\nlines"]),
        (5, ["3", "also\r\ntwo"]),
        (7, ["5", "6"]),
    ]


def test_rows_are_numbered_without_blank_lines(folder: Folder) -> None:
    with open_rows(folder.write("rows.csv", b"a\n\n1\n\n\n2\n"), PLAIN) as rows:
        assert [(row.number, row.line) for row in rows] == [(1, 3), (2, 6)]


def test_semicolons_quotes_and_encodings_are_as_the_format_says(folder: Folder) -> None:
    written = Format(delimiter=";", quote="'", encoding="cp1252")

    assert read(folder, b"a;b\n'x;y';\x80\n", written) == [(2, ["x;y", "€"])]


def test_utf_16_is_read(folder: Folder) -> None:
    content = "a,b\n1,é\n".encode("utf-16")

    assert read(folder, content, Format(encoding="utf-16")) == [(2, ["1", "é"])]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param(b"1", "has 1 cells where the header has 2", id="too few cells"),
        pytest.param(b"1,2,3", "has 3 cells where the header has 2", id="too many cells"),
        pytest.param(b"1,\xff", "is not utf-8-sig; set format: encoding", id="another encoding"),
        pytest.param(
            b'"x"y,2',
            "cannot be told apart into cells (',' expected after '\"')",
            id="text after a quote",
        ),
    ],
)
def test_a_row_that_cannot_be_read_does_not_keep_the_next_from_it(
    folder: Folder, row: bytes, problem: str
) -> None:
    assert read(folder, b"a,b\n" + row + b"\n8,9\n") == [(2, problem), (3, ["8", "9"])]


def test_a_quote_that_never_ends_is_told_with_the_lines_it_swallowed(folder: Folder) -> None:
    assert read(folder, b'a,b\n1,2\n"open,3\n4,5\n') == [
        (2, ["1", "2"]),
        (
            3,
            (
                "cannot be told apart into cells (unexpected end of data); "
                "lines 3 to 4 were taken for this row"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty; expected a line with the columns' names", id="no bytes"),
        pytest.param(b"\n\n", "is empty; expected a line with the columns' names", id="blank"),
        pytest.param(b'"a"b,c\n', "the header cannot be read", id="a broken header"),
    ],
)
def test_a_file_without_a_header_is_none(folder: Folder, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        open_rows(folder.write("rows.csv", content), PLAIN)


def test_a_file_that_is_not_there_is_named(folder: Folder) -> None:
    with pytest.raises(UnreadableFile, match=r"gone\.csv: cannot be read: No such file"):
        open_rows(folder.path / "gone.csv", PLAIN)
