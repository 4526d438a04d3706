"""What every form of the console holds: the mode that its page was shown in.

This library is built into the templates, where `csrf_token` is its own: a form that Django's
admin brings holds the mode, too, and none can be forgotten.
"""

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html

SHOWN_IN = "shown_in"

register = template.Library()


class FormNode(CsrfTokenNode):
    """Django's hidden field against forgery and, on a page of the console, one of the mode."""

    def render(self, context):
        field = super().render(context)
        if mode := context.get(SHOWN_IN):
            field += format_html('<input type="hidden" name="{}" value="{}">', SHOWN_IN, mode)
        return field


@register.tag
def csrf_token(parser, token):
    return FormNode()
