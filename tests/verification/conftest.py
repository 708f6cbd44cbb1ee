from pathlib import Path

import pytest

from stream_app.company import Company
from stream_app.local.broker import LocalBroker
from stream_app.settings import Settings
from tests.verification.small_log import company_at
from tests.verification.staged import Staged, stage


@pytest.fixture(scope="session")
def company_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="session")
def company(company_path: Path) -> Company:
    return company_at(company_path)


@pytest.fixture
def staged(
    broker: LocalBroker,
    redis_url: str,
    topic_prefix: str,
    company_path: Path,
    company: Company,
) -> Staged:
    settings = Settings(
        kafka=(broker.bootstrap,),
        redis_url=redis_url,
        topic_prefix=topic_prefix,
        config_path=company_path / "company.yaml",
    )
    return stage(settings, company)
