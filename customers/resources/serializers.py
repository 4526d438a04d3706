"""What every type of resource shares in its declaration, and how its rows are written."""

from contextlib import contextmanager
from functools import cached_property

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from rest_framework import serializers as drf
from rest_framework.exceptions import ErrorDetail
from rest_framework_json_api.serializers import ModelSerializer

from customers.api import errors
from customers.db.fields import MetadataField
from customers.jobs import exports, imports
from customers.models import Customer, Import, TransitionError, email_key
from customers.resources import operations, webhook_includes
from customers.resources.fields import (
    ChoiceField,
    MetadataSerializerField,
    TagNamesField,
    TextField,
    TriggerField,
    strict,
)
from customers.services import (
    customers,
    outbound,
    password_resets,
    row_changes,
    tagging,
    transitions,
)
from customers.services.orders import lock_customers

EMAIL_POINTER = "/data/attributes/customer_email"
TOKEN = "/data/attributes/_reset_password_token"  # noqa: S105 a place in a document
PASSWORD = "/data/attributes/customer_password"  # noqa: S105
COMMON = ["reference", "reference_origin", "metadata"]


class ResourceSerializer(ModelSerializer):
    """The attributes of one type, declared in its `Meta`, and what may be written.

    `fields` are the attributes; created_at, updated_at, reference, reference_origin and
    metadata need no mention. `relationships` are the relationships. `writable` are the
    members of both that a client may write, those of `create_only` and `update_only` on
    that occasion only; `channel_writable` are those of them that a sales channel may write.
    Everything else is refused. `passing` are attributes whose values change by themselves,
    with time.
    """

    serializer_field_mapping = {
        **{
            column: strict(field)
            for column, field in ModelSerializer.serializer_field_mapping.items()
        },
        MetadataField: MetadataSerializerField,
    }
    serializer_choice_field = ChoiceField

    @classmethod
    def writable(cls, creating):
        """The names of the members that a client may write when creating, or when updating."""
        closed = getattr(cls.Meta, "update_only" if creating else "create_only", ())
        return {*cls.Meta.writable, *COMMON} - set(closed)

    @classmethod
    def writable_by(cls, principal, creating):
        """As `writable`, for `principal`.

        A sales channel gives no row to another customer but by `customer_email`, where its
        type has that.
        """
        names = cls.writable(creating)
        if not principal.sees_all:
            names &= {*getattr(cls.Meta, "channel_writable", ()), *COMMON}
            names -= set() if creating else {"customer"}
        return names

    def get_field_names(self, declared_fields, info):
        attributes = [*self.Meta.fields, "created_at", "updated_at", *COMMON]
        return list(dict.fromkeys([*attributes, *declared_fields]))

    def get_fields(self):
        """Copies of the fields, which are made once for each class; to write, of those written."""
        cls, writes = type(self), hasattr(self, "initial_data")
        if "made_fields" not in cls.__dict__:
            cls.made_fields = super().get_fields()
        return {
            name: _copied(field)
            for name, field in cls.made_fields.items()
            if not (writes and field.read_only)
        }

    def get_extra_kwargs(self):
        closed = {*self.Meta.fields, "created_at", "updated_at"} - set(self.Meta.writable)
        return {name: {"read_only": True} for name in closed - self._declared_fields.keys()}

    def get_validators(self):
        return []  # the database's constraints speak for themselves, see `_save`

    @property
    def principal(self):
        return self.context["principal"]

    def complete(self, values):
        """`values`, attributes and to-one relationships by name, with what follows from them.

        What a customer makes is its own.
        """
        if self.instance is None and self.owner and "customer" in self.writable(creating=True):
            values["customer"] = values.get("customer") or self.owner
        return values

    @cached_property
    def owner(self):
        """The customer who is logged in, if any."""
        principal = self.principal
        return principal.owner_id and Customer.objects.visible_to(principal).get()

    def create(self, values):
        """Make and save a row of `values`."""
        row = self.Meta.model(mode=self.principal.mode, **values)
        _save(row)
        return row

    def update(self, row, values):
        """Set `values` on the locked `row` and save their columns."""
        for name, value in values.items():
            setattr(row, name, value)
        if values:
            _save(row, update_fields=set(values))
        return row

    def conclude(self, row):
        """Do what an update asks for after all else."""

    def relate(self, row, name, others, how, pointer):
        """Replace, add or remove (`how`) `others` in the writable to-many relationship `name`.

        `pointer` says where in the request's document they were named.
        """
        raise NotImplementedError(f"{type(self).__name__} writes no to-many relationship")


class TaggableSerializer(ResourceSerializer):
    """A type whose rows carry tags: by the relationship and, on update, by their names."""

    _add_tags = TagNamesField()
    _remove_tags = TagNamesField()

    @classmethod
    def writable(cls, creating):
        triggers = set() if creating else {"_add_tags", "_remove_tags"}
        return super().writable(creating) | {"tags"} | triggers

    names = {}

    def update(self, row, values):
        triggers = {"add": "_add_tags", "remove": "_remove_tags"}
        self.names = {act: values.pop(name, None) or "" for act, name in triggers.items()}
        return super().update(row, values)

    def conclude(self, row):
        super().conclude(row)
        if any(self.names.values()):
            with _too_many_tags_told("/data/attributes/_add_tags"):
                tagging.retag(row, **self.names, actor=self.principal.actor)

    def relate(self, row, name, others, how, pointer):
        with _too_many_tags_told(pointer):
            {
                "replace": tagging.replace_tags,
                "add": tagging.add_tags,
                "remove": tagging.remove_tags,
            }[how](row, others, actor=self.principal.actor)


class TriggeredSerializer(ResourceSerializer):
    """A type with acts: the attribute `_disable` does what `triggers["_disable"]` does.

    `triggers` maps names to functions of the locked row and, by keyword, `who`. Those of
    `at_once` may come with a new row, too.
    """

    triggers = {}
    at_once = frozenset()

    def get_fields(self):
        return {**super().get_fields(), **{name: TriggerField() for name in self.triggers}}

    @classmethod
    def writable(cls, creating):
        return super().writable(creating).union(cls.at_once if creating else cls.triggers)

    def create(self, values):
        names = self.pop_triggers(values)
        row = super().create(values)
        self.fire_triggers(names, row)
        return row

    def update(self, row, values):
        names = self.pop_triggers(values)
        row = super().update(row, values)
        self.fire_triggers(names, row)
        return row

    def pop_triggers(self, values):
        return [name for name in self.triggers if values.pop(name, False)]

    def fire_triggers(self, names, row):
        for name in names:
            try:
                self.triggers[name](row, actor=self.principal.actor)
            except TransitionError as error:
                raise errors.UnprocessableError(
                    str(error), pointer=f"/data/attributes/{name}", error="forbidden"
                ) from error


class WebhookSerializer(TriggeredSerializer):
    """An address to call, checked when it is written; what is included, by its topic."""

    def validate_callback_url(self, value):
        try:
            outbound.check_url(value)
        except outbound.ForbiddenAddressError as error:
            raise drf.ValidationError(str(error), "invalid") from error
        return value

    def validate(self, values):
        topic = values.get("topic") or self.instance.topic
        paths = values.get("include_resources", getattr(self.instance, "include_resources", None))
        try:
            webhook_includes.check_includes(topic, paths, mode=self.principal.mode)
        except operations.WriteRefusedError as error:
            message = error.errors[0][1].rstrip(".")
            raise drf.ValidationError(
                {"include_resources": ErrorDetail(f"cannot be: {message}", "invalid")}
            ) from error
        return super().validate(values)


class ImportSerializer(TriggeredSerializer):
    """A job: its inputs are kept apart, and never shown again."""

    def validate(self, values):
        values = super().validate(values)
        if self.instance is None:
            format = values.get("format", Import.Format.JSON)
            try:
                values["inputs"] = imports.read(values["inputs"], format)
                imports.check_open(self.principal.mode)
            except imports.UnreadableInputError as error:
                raise drf.ValidationError({"inputs": ErrorDetail(str(error), "invalid")}) from error
            except imports.TooManyJobsError as error:
                message = ErrorDetail(str(error), "too_many")
                raise drf.ValidationError({"resource_type": message}) from error
        return values

    def create(self, values):
        rows = values.pop("inputs")
        row = super().create({**values, "actor": self.principal.actor, "inputs_size": len(rows)})
        imports.keep(row, rows)
        return row


class ExportSerializer(TriggeredSerializer):
    """A job: how many rows it has is known at once, and none is refused."""

    def validate(self, values):
        values = super().validate(values)
        if self.instance is None:
            values |= {"records_count": self._count(values), "actor": self.principal.actor}
        return values

    def _count(self, values):
        kind, mode, member = values["resource_type"], self.principal.mode, "fields"
        try:
            exports.check_fields(kind, values.get("fields"), mode=mode)
            member = "includes"
            exports.check_includes(kind, values.get("includes"), mode=mode)
            member = "filters"
            return exports.count(kind, values.get("filters"), mode=mode)
        except (exports.UnknownFieldError, operations.WriteRefusedError) as error:
            message = ErrorDetail(str(error)[:500], "invalid")
        except exports.ExportRefusedError as error:
            member, message = "resource_type", ErrorDetail(str(error), error.code)
        raise drf.ValidationError({member: message})


class TransitionalSerializer(ResourceSerializer):
    """A type whose status moves: the trigger `_place` makes the model's move `place`.

    `dating` maps an attribute to the trigger whose moment it tells, when sent along.
    `inherits_customer_of` names the relationship whose customer a new row takes over.
    """

    dating = {}
    inherits_customer_of = None

    def get_fields(self):
        triggers = {f"_{name}": TriggerField() for name in self.Meta.model.transitions}
        return {**super().get_fields(), **triggers}

    @classmethod
    def writable(cls, creating):
        triggers = () if creating else (f"_{name}" for name in cls.Meta.model.transitions)
        return super().writable(creating).union(triggers)

    def complete(self, values):
        values = super().complete(values)
        if self.instance is None and self.inherits_customer_of in values:
            source = values[self.inherits_customer_of]
            source = row_changes.lock(source, type(source).objects)  # it keeps its customer
            values = {**values, self.inherits_customer_of: source, "customer": source.customer}
        return values

    def validate(self, values):
        for attribute, trigger in self.dating.items():
            if attribute in values and not values.get(trigger):
                message = f"is set by {trigger} alone"
                raise drf.ValidationError({attribute: ErrorDetail(message, "invalid")})
            if (at := values.get(attribute)) and at > timezone.now():
                raise drf.ValidationError({attribute: ErrorDetail("is not past", "invalid")})
        return super().validate(values)

    def update(self, row, values):
        names = [name for name in row.transitions if values.pop(f"_{name}", False)]
        dates = {trigger: values.pop(name, None) for name, trigger in self.dating.items()}
        row = super().update(row, values)
        for name in names:
            try:
                at = dates.get(f"_{name}")
                transitions.apply_transition(row, name, at=at)
            except TransitionError as error:
                raise errors.UnprocessableError(
                    str(error), pointer=f"/data/attributes/_{name}", error="forbidden"
                ) from error
        return row


class CustomerEmailSerializer(ResourceSerializer):
    """A type whose customer may be named by `customer_email` instead of the relationship."""

    customer_email = TextField(required=False, allow_null=True)
    makes_customers = True  # for an address that no customer has
    sent_email = None  # by a guest, who gets it back as it was sent, whoever has the address

    def complete(self, values):
        named = "customer_email" in values
        email = values.pop("customer_email", None)
        if email is None:
            if named and self.instance and self.instance.customer_id:
                raise errors.UnprocessableError(
                    "can't be blank", pointer=EMAIL_POINTER, error="blank"
                )
            return super().complete(values)
        given, principal = values.get("customer"), self.principal
        if not (self.owner or principal.sees_all):
            self.sent_email = email
        if self.owner:
            if email_key(email) != self.owner.email_key:  # whoever else has it
                raise errors.UnprocessableError("must be the customer's", pointer=EMAIL_POINTER)
            return super().complete({**values, "customer": self.owner})
        try:
            if given or not self.makes_customers:
                found = customers.customer_by_email(email, mode=principal.mode)
            else:
                found = customers.customer_for_email(
                    email, mode=principal.mode, actor=principal.actor
                )
        except customers.CustomerNotFoundError as error:
            raise errors.UnprocessableError(
                "must exist", pointer=EMAIL_POINTER, error="blank"
            ) from error
        except ValidationError as error:
            raise errors.UnprocessableError(error.messages[0], pointer=EMAIL_POINTER) from error
        if given and given != found:
            raise errors.UnprocessableError("must be the customer's", pointer=EMAIL_POINTER)
        return super().complete({**values, "customer": found})

    def create(self, values):
        return self._echoing(super().create(values))

    def update(self, row, values):
        return self._echoing(super().update(row, values))

    def _echoing(self, row):
        row.sent_email = self.sent_email
        return row


class SubscriptionSerializer(CustomerEmailSerializer):
    """A subscription; to a guest, the second of one customer to one topic looks like the first."""

    def create(self, values):
        """As always; for a guest who repeats what is there, a row that is not saved."""
        if self.sent_email:
            lock_customers(values["customer"].pk)  # of two who come at once, one is the second
            model, key = self.Meta.model, {name: values[name] for name in ("customer", "reference")}
            if model.objects.filter(mode=self.principal.mode, **key).exists():
                row = self._echoing(model(mode=self.principal.mode, **values))
                row.updated_at = row.created_at
                return row
        return super().create(values)


class PasswordResetSerializer(CustomerEmailSerializer):
    """A reset: made for an address, and finished by its token and the new password."""

    makes_customers = False

    def update(self, row, values):
        token = values.pop("_reset_password_token", None)
        password = values.pop("customer_password", None)
        try:
            if not self.principal.sees_all or (token, password) != (None, None):
                self._complete(row, token, password)
        except password_resets.WrongResetTokenError as error:
            if not self.principal.sees_all:  # which resets there are is not theirs to know
                raise errors.RecordNotFoundError from error
            raise errors.UnprocessableError(
                "is not the token of this reset", pointer=TOKEN
            ) from error
        except password_resets.ResetExpiredError as error:
            raise errors.UnprocessableError(
                "has expired", pointer=TOKEN, error="expired"
            ) from error
        return super().update(row, values)

    def _complete(self, row, token, password):
        if token is None and self.principal.sees_all:
            raise errors.UnprocessableError("can't be blank", pointer=TOKEN, error="blank")
        if not row.accepts(token or ""):
            raise password_resets.WrongResetTokenError
        if password is None:
            raise errors.UnprocessableError("can't be blank", pointer=PASSWORD, error="blank")
        try:
            password_resets.complete(row, token, password, actor=self.principal.actor)
        except ValidationError as error:
            raise errors.UnprocessableError(
                error.messages[0], pointer=PASSWORD, error=errors.wire_name(error.code)
            ) from error


def _copied(field):
    copied = object.__new__(type(field))
    copied.__dict__.update(field.__dict__)
    return copied


@contextmanager
def _too_many_tags_told(pointer):
    try:
        yield
    except tagging.TooManyTagsError as error:
        raise errors.UnprocessableError(str(error), pointer=pointer, error="too_many") from error


def _save(row, update_fields=None):
    """Save `row`, a new one or its `update_fields`.

    Raises errors.CombinedApiError when its model refuses it, errors.ConstraintViolationError when
    one of its constraints does: then the transaction is broken.
    """
    try:
        row.clean()
        row.fast_save(update_fields=update_fields)
    except ValidationError as error:
        found = [(name, one) for name, ones in error.error_dict.items() for one in ones]
        raise errors.CombinedApiError([errors.broken(row, *one) for one in found]) from error
    except IntegrityError as error:
        raise errors.ConstraintViolationError(row) from error
