"""The time zone in which a member of staff sees and types times; programs see all in UTC."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from customers.models import StaffPreference

OTHERS = ("Etc/", "SystemV/", "US/", "posix/", "right/")  # other names of zones


class UnknownTimeZoneError(Exception):
    """There is no such time zone."""


@cache
def names() -> list[str]:
    """The names of the zones to choose from: UTC, and a place and its region."""
    found = (one for one in available_timezones() if "/" in one and not one.startswith(OTHERS))
    return ["UTC", *sorted(found)]


def zone_of(user: User | AnonymousUser) -> ZoneInfo:
    """The zone that `user` has chosen, else that of settings.CONSOLE_TIME_ZONE."""
    chosen = StaffPreference.objects.filter(user_id=user.pk).first() if user.pk else None
    known = chosen is not None and chosen.time_zone in available_timezones()
    return ZoneInfo(chosen.time_zone if chosen and known else settings.CONSOLE_TIME_ZONE)


def choose_zone(user: User, name: str) -> None:
    """Let `name` be the zone of `user`; "" lets it be as the settings say.

    Raises UnknownTimeZoneError.
    """
    if not name:
        StaffPreference.objects.filter(user=user).delete()
    elif name in names():
        StaffPreference.objects.update_or_create(user=user, defaults={"time_zone": name})
    else:
        raise UnknownTimeZoneError(name)
