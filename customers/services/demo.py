"""Made-up customers, the same every time, for trying the service and measuring it."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from faker import Faker

from customers.db.fields import new_id
from customers.models import (
    Address,
    Attachment,
    Customer,
    CustomerAddress,
    CustomerGroup,
    CustomerPaymentSource,
    CustomerSubscription,
    Event,
    Order,
    OrderSubscription,
    Return,
    SkuList,
    SkuListItem,
    Tag,
)
from customers.services import notes

ORIGIN = "demo"
CHUNK = 500
GROUPS = {"retail": "Retail", "wholesale": "Wholesale", "vip": "VIP", "staff": "Staff"}
TAGS = ["newsletter", "vip", "churn-risk", "early-bird", "b2b", "review:positive", "fraud-check"]
SKUS = ["TSHIRT-S", "TSHIRT-M", "TSHIRT-L", "MUG-WHITE", "CAP-BLACK", "TOTE-NATURAL"]
PLACES = [
    ("London", "SW1Y 4JH", None, "GB", "+44 20 7946 0000", "GBP", "en"),
    ("Milano", "20121", "MI", "IT", "+39 02 0000 0000", "EUR", "it"),
    ("Berlin", "10117", None, "DE", "+49 30 0000 000", "EUR", "de"),
    ("Portland", "97201", "OR", "US", "+1 503 555 0100", "USD", "en"),
    ("Dublin", None, None, "IE", "+353 1 000 0000", "EUR", "en"),
]


def make_customers(count: int, *, mode: str) -> Iterator[int]:
    """Bring the demonstration customers of `mode`, and all their records, up to `count`.

    A transaction for each 500; yields the number of customers that it has made. Customer 7
    is the same person in every installation; only ids and dates are of today.
    """
    cast = Cast(mode)
    start = Customer.objects.in_mode(mode).filter(reference_origin=ORIGIN).count() + 1
    for first in range(start, count + 1, CHUNK):
        rows: dict[type[Model], list[Model]] = defaultdict(list)
        numbers = range(first, min(first + CHUNK, count + 1))
        for number in numbers:
            cast.tell(number, rows)
        with transaction.atomic():
            for model, made in rows.items():
                QuerySet[Model](model).bulk_create(made)
        yield len(numbers)


class Cast:
    """People's names, groups and tags to draw from, and the stories that they make."""

    def __init__(self, mode: str) -> None:
        faker = Faker("en_US")
        faker.seed_instance(1)
        self.mode = mode
        self.first_names = [faker.first_name() for _ in range(400)]
        self.last_names = [faker.last_name() for _ in range(400)]
        self.streets = [faker.street_address() for _ in range(400)]
        self.groups = [self._named(CustomerGroup, code=c, name=n) for c, n in GROUPS.items()]
        self.tags = [self._named(Tag, name=name) for name in TAGS]
        self.unusable_password = make_password(None)

    def _named(self, model, **values):
        defaults = {"reference_origin": ORIGIN}
        return model.objects.get_or_create(mode=self.mode, **values, defaults=defaults)[0]

    def tell(self, number: int, rows: dict[type[Model], list[Model]]) -> None:
        """Add to `rows`, lists by model in the order to save them, the life of one customer."""
        chance = random.Random(number)  # noqa: S311 the same every time, on purpose
        began = timezone.now() - timedelta(days=365 * chance.random() ** 2)
        self._tell_customer(number, rows, chance, began)
        customer, place = rows[Customer][-1], chance.choice(PLACES)
        address = self._tell_address(rows, chance, customer, place)
        self._tell_orders(rows, chance, customer, address, place)
        self._tell_wishes(rows, chance, customer)

    def _make(self, rows, model, at, **values):
        row = model(id=new_id(at), mode=self.mode, reference_origin=ORIGIN)
        row.created_at = row.updated_at = at
        for name, value in values.items():
            setattr(row, name, value)
        rows[model].append(row)
        return row

    def _happened(self, rows, row, act, at):
        about = {"resource_type": row._meta.db_table, "resource_id": row.pk}
        self._make(rows, Event, at, name=f"{row._meta.db_table}.{act}", **about)

    def _tell_customer(self, number, rows, chance, began):
        first, last = chance.choice(self.first_names), chance.choice(self.last_names)
        customer = self._make(
            rows,
            Customer,
            began,
            email=f"{first}.{last}.{number}@example.com".lower(),
            password=self.unusable_password if chance.random() < 0.6 else None,
            customer_group=chance.choice([*self.groups, None]),
            metadata={"first_name": first, "last_name": last},
            reference=f"demo-{number}",
        )
        self._happened(rows, customer, "create", began)
        for tag in chance.sample(self.tags, k=number % 4):
            rows[Customer.tags.through].append(Customer.tags.through(customer=customer, tag=tag))

    def _tell_address(self, rows, chance, customer, place):
        city, zip_code, state_code, country_code, phone, _, _ = place
        address = self._make(
            rows,
            Address,
            customer.created_at,
            first_name=customer.metadata["first_name"],
            last_name=customer.metadata["last_name"],
            line_1=chance.choice(self.streets),
            city=city,
            zip_code=zip_code,
            state_code=state_code,
            country_code=country_code,
            phone=phone,
        )
        self._make(rows, CustomerAddress, customer.created_at, customer=customer, address=address)
        return address

    def _tell_orders(self, rows, chance, customer, address, place):
        *_, currency_code, language_code = place
        span = timezone.now() - customer.created_at
        moments = sorted(chance.random() for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 5])))
        order = None
        for moment in moments:
            at = customer.created_at + span * moment
            cents = chance.randrange(900, 30_000)
            order = self._make(
                rows,
                Order,
                at,
                number=f"D{customer.reference[5:]}-{customer.total_orders_count + 1}",
                customer=customer,
                status=chance.choice(["placed", "approved", "approved", "cancelled"]),
                payment_status="paid",
                fulfillment_status=chance.choice(["unfulfilled", "fulfilled"]),
                currency_code=currency_code,
                language_code=language_code,
                subtotal_amount_cents=cents,
                shipping_amount_cents=500,
                total_amount_cents=cents + 500,
                total_amount_with_taxes_cents=cents + 500,
                skus_count=1 + cents % 4,
                shipping_address=address,
                billing_address=address,
                placed_at=at,
            )
            self._happened(rows, order, "place", at)
            customer.total_orders_count += 1
            if customer.total_orders_count < 3:
                reached = ["acquired", "repeat"][customer.total_orders_count - 1]
                self._happened(rows, customer, reached, at)
        customer.status = customer.status_for_order_count
        if order:
            self._tell_after_sales(rows, chance, customer, order)

    def _tell_after_sales(self, rows, chance, customer, order):
        at = order.placed_at
        source = self._make(
            rows,
            CustomerPaymentSource,
            at,
            customer=customer,
            payment_source_token=f"pm_{customer.reference}",
        )
        source.name = source.masked_token
        if chance.random() < 0.2:
            returned = self._make(rows, Return, at, order=order, customer=customer)
            returned.status = chance.choice(["requested", "requested", "draft"])
        if chance.random() < 0.1:
            self._make(
                rows,
                OrderSubscription,
                at,
                source_order=order,
                customer=customer,
                customer_payment_source=source,
                frequency="monthly",
                status="active",
                starts_at=at,
                next_run_at=at + timedelta(days=30),
            )

    def _tell_wishes(self, rows, chance, customer):
        at = customer.created_at
        if chance.random() < 0.5:
            subscription = self._make(rows, CustomerSubscription, at, customer=customer)
            subscription.reference = "newsletter"
        if chance.random() < 0.3:
            wishes = self._make(rows, SkuList, at, customer=customer, name="Wish list")
            wishes.slug = "wish-list"
            for position, code in enumerate(chance.sample(SKUS, k=2), start=1):
                self._make(rows, SkuListItem, at, sku_list=wishes, sku_code=code, position=position)
        if chance.random() < 0.1:
            note = self._make(rows, Attachment, at, customer=customer, name="Support")
            note.description = "Called about a late delivery; all settled."
            note.reference_origin = notes.ORIGIN
