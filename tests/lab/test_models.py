from models import TABLE, table


def test_committed_table_is_what_the_installed_botocore_says() -> None:
    assert TABLE.read_text() == table(), "write it again: python tests/lab/models.py"
