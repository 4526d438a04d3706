"""Where a page begins, by the values of the row before it.

Why not an offset: Django's slices skip to a place by reading all before it, and rows that come or
go meanwhile move it. A place is a condition here, from which an index starts: page 2000 of 100,000
customers takes 0.3 ms of the database's time, by an offset 12 (`python -m deploy.checks
benchmark`, W5). Taken out, pages are far again, and lists that change lose rows.
"""

from django.db.models import Model, Q, QuerySet


def keyset_after(
    rows: QuerySet, order: dict[str, bool], values: dict, *, inclusive: bool = False
) -> QuerySet:
    """`rows`, in the `order` of paging.order_of, that come after one with these `values`.

    That row need not be there any more; `inclusive` lets it come too. None is the value of a
    column that is empty, which comes last, and first where the order is descending. The first
    condition is one that an index in this order can start from.
    """
    after, same = Q(pk__in=[]), Q()
    for name, down in order.items():
        after |= same & _after(rows.model, name, values[name], down)
        same &= _equal(name, values[name])
    first, down = next(iter(order.items()))
    found = rows.filter(_from(rows.model, first, values[first], down))
    return found.filter(after | same if inclusive else after)


def _from(model: type[Model], name: str, value: object, down: bool) -> Q:
    """The condition on rows whose column `name` is `value` or comes after it.

    It is one comparison where it can be: an index starts from that, and from no two with "or".
    """
    if value is None:
        return Q() if down else Q(**{f"{name}__isnull": True})
    found = Q(**{f"{name}__{'lte' if down else 'gte'}": value})
    nullable = model._meta.get_field(name).null
    return found | _equal(name, None) if nullable and not down else found


def _equal(name: str, value: object) -> Q:
    return Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})


def _after(model: type[Model], name: str, value: object, down: bool) -> Q:
    """The condition on rows whose column `name` comes after `value`."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if down else Q(pk__in=[])
    after = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
    nullable = model._meta.get_field(name).null
    return after | _equal(name, None) if nullable and not down else after
