"""What a browser would send of a page's form, read from its HTML."""

import re
from html.parser import HTMLParser


class _Form(HTMLParser):
    """The form with an id; `values` is what it sends: lists of values by name."""

    def __init__(self, form_id):
        super().__init__()
        self.form_id, self.inside, self.values = form_id, False, {}
        self.area = self.select = None

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self.inside = found.get("id") == self.form_id
        elif self.inside and tag == "textarea":
            self.area = [found["name"], ""]
        elif self.inside and tag == "select":
            self.select = found["name"], "multiple" in found
        elif self.inside and tag == "option":
            name, many = self.select
            chosen = self.values.setdefault(name, [] if many else [found["value"]])
            if "selected" in found:
                chosen[:] = [*(chosen if many else ()), found["value"]]
        elif self.inside and tag == "input" and "name" in found:
            kind = found.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" in found:
                self.values[found["name"]] = [found.get("value", "on")]
            elif kind not in ("checkbox", "radio", "submit"):
                self.values[found["name"]] = [found.get("value", "")]

    def handle_data(self, text):
        if self.area:
            self.area[1] += text

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.area:
            name, text = self.area
            lines = text.removeprefix("\r").removeprefix("\n").replace("\r\n", "\n")
            self.values[name] = [lines.replace("\n", "\r\n")]
            self.area = None


def sent_by(response):
    """What the form of an admin's page, unchanged, sends: lists of values by name."""
    form = _Form(f"{response.context['opts'].model_name}_form")
    form.feed(response.content.decode())
    return form.values


def forms_without_mode(response):
    """The forms of a page of the console that post, but do not say in which mode they were shown.

    Whoever opened a page in the other mode may still log out.
    """
    forms = re.findall(r"<form\b[^>]*>.*?</form>", response.content.decode(), re.DOTALL)
    assert forms
    mode = f'<input type="hidden" name="shown_in" value="{response.context["mode"]}">'
    posting = [one for one in forms if 'method="post"' in one and 'id="logout-form"' not in one]
    return [one for one in posting if mode not in one]
