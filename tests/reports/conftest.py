from pathlib import Path

import pytest

from stream_app.local.broker import LocalBroker
from stream_app.settings import Settings
from tests.verification.small_log import company_at
from tests.verification.staged import Staged, stage


@pytest.fixture
def staged(broker: LocalBroker, redis_url: str, topic_prefix: str, tmp_path: Path) -> Staged:
    company = company_at(tmp_path)
    settings = Settings(
        kafka=(broker.bootstrap,),
        redis_url=redis_url,
        topic_prefix=topic_prefix,
        config_path=tmp_path / "company.yaml",
    )
    return stage(settings, company)
