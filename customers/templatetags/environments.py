"""The field by which a form of the console says in which mode its page was opened."""

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

SHOWN_IN = "shown_in"

register = template.Library()


@register.simple_tag(takes_context=True)
def environment_field(context: Context) -> SafeString:
    """A hidden field with the page's mode: what is sent after a switch is refused."""
    return format_html('<input type="hidden" name="{}" value="{}">', SHOWN_IN, context["mode"])
