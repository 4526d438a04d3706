from django.conf import settings


class Organization:
    """The one organization that the installation serves, as its settings describe it."""

    @property
    def pk(self):
        return settings.ORGANIZATION_ID

    @property
    def name(self):
        return settings.ORGANIZATION_NAME

    @property
    def slug(self):
        return settings.ORGANIZATION_SLUG

    @property
    def domain(self):
        return settings.TOKEN_ISSUER.removeprefix("https://auth.")

    @property
    def support_phone(self):
        return settings.SUPPORT_PHONE or None

    @property
    def support_email(self):
        return settings.SUPPORT_EMAIL or None

    @property
    def logo_url(self):
        return settings.LOGO_URL or None

    @property
    def favicon_url(self):
        return settings.FAVICON_URL or None

    @property
    def primary_color(self):
        return settings.PRIMARY_COLOR or None

    @property
    def config(self):
        return {}

    # What every resource has, and settings do not tell
    reference = reference_origin = created_at = updated_at = None
    metadata = {}
