from django.conf import settings
from django.db import models

from customers.db.declarations import keep


class StaffPreference(models.Model):
    """How one member of staff likes the console; no row is as the settings say."""

    user = keep(
        models.OneToOneField(
            settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="preferences"
        )
    )
    time_zone = keep(models.CharField(max_length=64))

    class Meta:
        db_table = "staff_preferences"

    def __str__(self) -> str:
        return str(self.pk)
