from pathlib import Path

import pytest

from stream_app.company import Company
from tests.verification.small_log import company_at


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    directory: Path = tmp_path_factory.mktemp("company")
    return company_at(directory)
