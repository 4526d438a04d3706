"""Files of customers that spreadsheets open."""

import pytest

from customers.models import Import
from customers.tests.field.doors import (
    shown,
    upload,
)

pytestmark = pytest.mark.thorough


def test_a_file_that_is_nothing_that_can_be_read_is_refused_with_a_sentence(admin_client):
    answer = upload(admin_client, b"\x00\x01\x02\x03" * 40)
    assert "The file" in shown(answer)
    assert not Import.objects.exists()
