"""Real browsers for tests: Chromium, and pages whose console must tell no error."""

import os
import shutil
from contextlib import contextmanager

from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOOKS = ["light desktop", "dark desktop", "dark phone"]


@contextmanager
def chromium(sync_api):
    """The browser, while Django may use the database beside Playwright's event loop."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Install Chromium: apt-get install chromium"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def silent_page(browser, url, look, *, said=()):
    """A page at `url` in a `look`, such as "dark phone"; its console tells no error but `said`."""
    scheme, device = look.split()
    width, height = SIZES[device]
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": height}, base_url=url
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if not any(word in text for word in said)] == []


def come_in(page, user, url):
    """Let `page` be logged in as `user`, without the form."""
    client = Client()
    client.force_login(user)
    value = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": value, "url": url}])


def picture(page, name, look):
    """Leave a picture of `page` in the folder SCREENSHOTS, where one is set."""
    page.wait_for_load_state()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}-{look}.png".replace(" ", "-"), full_page=True)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0, f"{name} is wider than the {look}"


def code_of(user):
    """The code that the app of `user`'s second factor shows, to be taken once more."""
    device = TOTPDevice.objects.get(user=user)
    TOTPDevice.objects.update(last_t=-1)
    return f"{totp(device.bin_key):06}"


def hard_to_read(page):
    """The visible texts of `page` of less contrast than WCAG 2.2 asks for (1.4.3, AA).

    That is 4.5, and 3 for large text. Each with its contrast.
    """
    return page.evaluate(HARD_TO_READ)


HARD_TO_READ = """() => {
  const numbers = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\\d.]+/g).map(Number);
    return [red, green, blue, alpha];
  };
  const over = ([r, g, b, alpha], below) =>
    [r, g, b].map((value, at) => value * alpha + below[at] * (1 - alpha));
  const ground = (element) => {
    if (!element) return numbers(getComputedStyle(document.body).backgroundColor).slice(0, 3);
    const color = numbers(getComputedStyle(element).backgroundColor);
    return color[3] === 1 ? color.slice(0, 3) : over(color, ground(element.parentElement));
  };
  const light = (color) => {
    const parts = color.map((value) => value / 255).map((value) =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const told = [];
  const look = (element, style, text) => {
    const below = ground(element);
    const [bright, dark] = [light(over(numbers(style.color), below)), light(below)]
      .sort((one, other) => other - one);
    const contrast = (bright + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (contrast < (large ? 3 : 4.5)) told.push(`${text.trim()}: ${contrast.toFixed(2)}`);
  };
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!shown || element.disabled || box.width < 2 || box.height < 2 || style.fontSize === "0px")
      continue;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.data).join(" ");
    if (text.trim()) look(element, style, text);
    if (element.value && element.matches("input, button")) look(element, style, element.value);
    if (element.placeholder)
      look(element, getComputedStyle(element, "::placeholder"), element.placeholder);
  }
  return told;
}"""
