"""The smallest valid row of each type, and the smallest document that makes one."""

from functools import partial
from itertools import count

from django.db import connection, models
from django.utils import timezone

from customers.db.declarations import keys_to
from customers.jobs import exports, imports
from customers.models import (
    Address,
    Attachment,
    Customer,
    CustomerAddress,
    CustomerGroup,
    CustomerPasswordReset,
    CustomerPaymentSource,
    CustomerSubscription,
    Event,
    EventCallback,
    EventStore,
    Order,
    OrderSubscription,
    Return,
    SkuList,
    SkuListItem,
    Tag,
    Webhook,
    models_by_type,
)
from customers.resources.registry import registry

numbers = count(1)
CALLBACK_URL = "https://192.0.32.10/callbacks"


def new_email():
    return f"customer{next(numbers)}@example.com"


def make_customer(**values):
    return Customer.objects.create(**{"email": new_email(), **values})


def make_group(**values):
    return CustomerGroup.objects.create(**{"name": "Wholesale", **values})


def make_tag(**values):
    return Tag.objects.create(**{"name": f"tag{next(numbers)}", **values})


ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "line_1": "12 St James's Square",
    "city": "London",
    "zip_code": "SW1Y 4JH",
    "country_code": "GB",
    "phone": "+44 20 7946 0000",
}


def make_address(**values):
    return Address.objects.create(**{**ADDRESS, **values})


def make_customer_address(mode="test", **values):
    values = {"customer": None, "address": None, **values}
    return CustomerAddress.objects.create(
        mode=mode,
        customer=values["customer"] or make_customer(mode=mode),
        address=values["address"] or make_address(mode=mode),
    )


def make_payment_source(mode="test", **values):
    values = {"payment_source_token": "pm_1NgABCDEFGHwxyz", **values}
    values.setdefault("customer", None)
    values["customer"] = values["customer"] or make_customer(mode=mode)
    return CustomerPaymentSource.objects.create(mode=mode, **values)


def make_reset(mode="test", **values):
    values.setdefault("customer", None)
    values["customer"] = values["customer"] or make_customer(mode=mode)
    return CustomerPasswordReset.objects.create(mode=mode, **values)


def make_subscription(mode="test", **values):
    values.setdefault("customer", None)
    values["customer"] = values["customer"] or make_customer(mode=mode)
    return CustomerSubscription.objects.create(
        mode=mode, **{"reference": f"newsletter{next(numbers)}", **values}
    )


def make_order(**values):
    return Order.objects.create(**values)


def make_orders(customer, count):
    """Many drafts of one customer, numbered from 1, which the database makes by itself."""
    one = make_order(customer=customer, mode=customer.mode, number="1")
    columns = [field.column for field in Order._meta.concrete_fields]
    own = {"id": "'order' || CAST(n AS VARCHAR)", "number": "CAST(n AS VARCHAR)"}
    values = ", ".join(own.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"  # noqa: S608
            f" WHERE n < {count}) INSERT INTO orders ({', '.join(columns)})"
            f" SELECT {values} FROM orders, numbers WHERE orders.id = %s",
            [one.pk],
        )


def make_placed_order(customer, **values):
    """A placed order, without what placing means to the customer."""
    placed = {"status": "placed", "placed_at": timezone.now()}
    return make_order(customer=customer, mode=customer.mode, **placed, **values)


def make_order_subscription(mode="test", **values):
    order = values.pop("source_order", None) or make_order(
        mode=mode, customer=make_customer(mode=mode)
    )
    return OrderSubscription.objects.create(
        mode=mode,
        **{"frequency": "monthly", "source_order": order, "customer": order.customer, **values},
    )


def make_return(mode="test", **values):
    order = values.pop("order", None) or make_order(mode=mode, customer=make_customer(mode=mode))
    return Return.objects.create(mode=mode, order=order, customer=order.customer, **values)


def make_sku_list(**values):
    return SkuList.objects.create(**{"name": "Wish list", **values})


def make_sku_list_item(mode="test", **values):
    sku_list = values.pop("sku_list", None) or make_sku_list(mode=mode)
    return SkuListItem.objects.create(
        mode=mode, **{"sku_list": sku_list, "sku_code": f"SKU{next(numbers)}", **values}
    )


def make_attachment(mode="test", **values):
    values = values or {"customer": make_customer(mode=mode)}
    return Attachment.objects.create(mode=mode, **{"name": "Note", **values})


def make_event(about=None, **values):
    about = about or make_customer(**values)
    kind = {"resource_type": about._meta.db_table, "resource_id": about.pk, "mode": about.mode}
    EventStore.objects.create(event="create", payload={"email": {"from": None, "to": "a"}}, **kind)
    return Event.objects.create(name=f"{about._meta.db_table}.create", **kind)


def make_event_store(**values):
    return EventStore.objects.get(resource_id=make_event(**values).resource_id)


def make_webhook(**values):
    values = {"topic": "customers.create", "callback_url": CALLBACK_URL, **values}
    return Webhook.objects.create(**values)


def make_import(mode="test", **values):
    values = {"resource_type": "customers", "given": [{"email": new_email()}], **values}
    return imports.begin_import(
        values.pop("resource_type"), values.pop("given"), mode=mode, actor=None, **values
    )


def make_export(mode="test", **values):
    make_customer(mode=mode)
    return exports.begin_export(
        values.pop("resource_type", "customers"), mode=mode, actor=None, **values
    )


def make_event_callback(mode="test", **values):
    values.setdefault("event", None)
    event = values.pop("event") or make_event(mode=mode)
    webhook = values.pop("webhook", None) or make_webhook(topic=event.name, mode=mode)
    return EventCallback.objects.create(
        mode=mode,
        **{
            "event": event,
            "webhook": webhook,
            "callback_url": webhook.callback_url,
            "payload": {"data": {"type": event.resource_type, "id": event.resource_id}},
            "response_code": "200",
            "response_message": "OK",
            **values,
        },
    )


def with_everything(row):
    """`row` with an event and, where it takes them, two tags and an attachment."""
    make_event_callback(event=make_event(row), mode=row.mode)
    if hasattr(row, "tags"):
        row.tags.add(make_tag(mode=row.mode), make_tag(mode=row.mode))
    if row._meta.model_name in ("customer", "order", "skulist"):
        make_attachment(mode=row.mode, **{Attachment.key_of(row): row})
    return row


SAMPLES = {  # what a column of no factory of its own is given
    models.CharField: lambda: f"text{next(numbers)}",
    models.TextField: lambda: f"text{next(numbers)}",
    models.IntegerField: lambda: next(numbers),
    models.FloatField: lambda: float(next(numbers)),
    models.DateField: lambda: timezone.now().date(),
    models.DateTimeField: timezone.now,
}


def samples(model, *, mode="test", full=False):
    """Values for the columns of `model` that need one; of a `full` row for its keys, too."""
    found = {}
    for field in model._meta.concrete_fields:
        if field.many_to_one and (full or not field.null):
            found[field.name] = ONE[field.related_model._meta.db_table](mode=mode)
        elif not (field.has_default() or field.null or field.many_to_one):
            kind = next(kind for kind in type(field).__mro__ if kind in SAMPLES)
            found[field.name] = SAMPLES[kind]()
    return found


def make_row(model, *, mode="test", full=False, **values):
    """A row of a type that has no factory of its own."""
    return model.objects.create(mode=mode, **{**samples(model, mode=mode, full=full), **values})


def smallest(name):
    """The smallest document that makes a row of a type that has no factory of its own."""
    needed = samples(models_by_type()[name])
    rows = {name: link(row) for name, row in needed.items() if isinstance(row, models.Model)}
    return {name: value for name, value in needed.items() if name not in rows}, rows


def make_full_customer(**values):
    """A customer with a row in every relationship, down to the second level."""
    mode = values.get("mode", "test")
    customer = make_customer(customer_group=make_group(mode=mode), **values)
    make_attachment(mode=mode, customer_group=customer.customer_group)
    with_everything(make_customer_address(mode=mode, customer=customer))
    source = with_everything(make_payment_source(mode=mode, customer=customer))
    with_everything(make_subscription(mode=mode, customer=customer))
    with_everything(make_reset(mode=mode, customer=customer))
    order = make_full_order(mode=mode, customer=customer)
    subscription = make_order_subscription(
        mode=mode, source_order=order, customer_payment_source=source
    )
    make_order(mode=mode, customer=customer, order_subscription=subscription)
    with_everything(subscription)
    returned = make_return(mode=mode, order=order)
    returned.origin_address = returned.destination_address = make_address(mode=mode)
    returned.save()
    with_everything(returned)
    make_attachment(mode=mode, order_return=returned)
    wishes = with_everything(make_sku_list(mode=mode, customer=customer))
    make_sku_list_item(mode=mode, sku_list=wishes)
    with_everything(customer)
    for model, key in keys_to(Customer):
        name = model._meta.db_table
        if name in ONE and not model.objects.filter(**{key.name: customer}).exists():
            with_everything(ONE[name](mode=mode, **{key.name: customer}))
    return customer


def make_full_order(**values):
    mode = values.get("mode", "test")
    places = {
        "shipping_address": with_everything(make_address(mode=mode)),
        "billing_address": make_address(mode=mode),
    }
    return with_everything(make_order(**places, **values))


def first_of(name):
    """Makes a full customer; gives the row in its relationship `name`."""
    return lambda **values: getattr(make_full_customer(**values), name).first()


def make_order_of_subscription(**values):
    """The order that has everything, made the order of its own subscription."""
    order = make_full_customer(**values).orders.first()
    order.order_subscription = order.order_subscriptions.get()
    order.save()
    return order


# type: what makes one row of it and no more
ONE = {
    "customers": make_customer,
    "customer_groups": make_group,
    "customer_addresses": make_customer_address,
    "addresses": make_address,
    "customer_payment_sources": make_payment_source,
    "customer_password_resets": make_reset,
    "customer_subscriptions": make_subscription,
    "orders": make_order,
    "order_subscriptions": make_order_subscription,
    "returns": make_return,
    "sku_lists": make_sku_list,
    "sku_list_items": make_sku_list_item,
    "attachments": make_attachment,
    "tags": make_tag,
    "events": make_event,
    "webhooks": make_webhook,
    "imports": make_import,
    "exports": make_export,
    "event_callbacks": make_event_callback,
    "event_stores": make_event_store,
}

# type: what makes a row with something in every relationship
FULL = {
    "customers": make_full_customer,
    "customer_groups": lambda **values: with_everything(
        make_full_customer(**values).customer_group
    ),
    "customer_addresses": first_of("customer_addresses"),
    "addresses": lambda **values: with_everything(make_address(**values)),
    "customer_payment_sources": first_of("customer_payment_sources"),
    "customer_password_resets": first_of("customer_password_resets"),
    "customer_subscriptions": first_of("customer_subscriptions"),
    "orders": make_order_of_subscription,
    "order_subscriptions": first_of("order_subscriptions"),
    "returns": first_of("returns"),
    "sku_lists": first_of("sku_lists"),
    "sku_list_items": make_sku_list_item,
    "attachments": lambda **values: with_everything(make_attachment(**values)),
    "tags": lambda **values: with_everything(make_tag(**values)),
    "events": lambda **values: with_everything(make_event_callback(**values).event),
    "exports": lambda **values: with_everything(make_export(**values)),
    "imports": lambda **values: with_everything(make_import(**values)),
    "webhooks": lambda **values: with_everything(make_event_callback(**values).webhook),
    "event_callbacks": lambda **values: with_everything(make_event_callback(**values)),
    "event_stores": make_event_store,
}


def link(row):
    return {"type": row._meta.db_table, "id": row.pk}


# type: the attributes and relationships of the smallest document that the API accepts
SMALLEST = {
    "customers": lambda: ({"email": new_email()}, {}),
    "customer_groups": lambda: ({"name": "Retail"}, {}),
    "customer_addresses": lambda: (
        {},
        {"customer": link(make_customer()), "address": link(make_address())},
    ),
    "addresses": lambda: (dict(ADDRESS), {}),
    "customer_payment_sources": lambda: ({}, {"customer": link(make_customer())}),
    "customer_password_resets": lambda: ({"customer_email": make_customer().email}, {}),
    "customer_subscriptions": lambda: (
        {"customer_email": make_customer().email, "reference": "newsletter"},
        {},
    ),
    "orders": lambda: ({}, {}),
    "order_subscriptions": lambda: (
        {"frequency": "weekly"},
        {"source_order": link(make_order(customer=make_customer()))},
    ),
    "returns": lambda: ({}, {"order": link(make_order(customer=make_customer()))}),
    "sku_lists": lambda: ({"name": "Wish list"}, {}),
    "sku_list_items": lambda: ({"sku_code": "TSHIRT"}, {"sku_list": link(make_sku_list())}),
    "attachments": lambda: ({"name": "Note"}, {"attachable": link(make_customer())}),
    "tags": lambda: ({"name": f"tag{next(numbers)}"}, {}),
    "exports": lambda: ({"resource_type": make_customer()._meta.db_table}, {}),
    "imports": lambda: (
        {"resource_type": "customers", "inputs": [{"email": new_email()}]},
        {},
    ),
    "webhooks": lambda: ({"topic": "customers.create", "callback_url": CALLBACK_URL}, {}),
}

# A type that has no factory of its own is made of what its columns need.
for _name, _resource in registry.types.items():
    if _name in models_by_type() and _name not in ONE and "list" in _resource.actions:
        _model = models_by_type()[_name]
        ONE[_name] = partial(make_row, _model)
        FULL[_name] = partial(
            lambda model, **v: with_everything(make_row(model, full=True, **v)), _model
        )
        SMALLEST[_name] = partial(smallest, _name)
