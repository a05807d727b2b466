"""The table of scenarios against the typing session alone: no framework, no service, no clock."""

import pytest
from typing_scenarios import Row, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_what_follows_from_what_is_typed(scenario):
    Row(scenario).run()
