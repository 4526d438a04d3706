from django.conf import settings


class Organization:
    """The one organization that the installation serves, as its settings describe it."""

    @property
    def pk(self) -> str:
        return settings.ORGANIZATION_ID

    @property
    def name(self) -> str:
        """The shop's name."""
        return settings.ORGANIZATION_NAME

    @property
    def slug(self) -> str:
        """The shop's name as a part of host names."""
        return settings.ORGANIZATION_SLUG

    @property
    def domain(self) -> str:
        """The host name that tokens are issued under."""
        return settings.TOKEN_ISSUER.removeprefix("https://auth.")

    @property
    def support_phone(self) -> str | None:
        """The phone number that customers may call."""
        return settings.SUPPORT_PHONE or None

    @property
    def support_email(self) -> str | None:
        """The e-mail address that customers may write to."""
        return settings.SUPPORT_EMAIL or None

    @property
    def logo_url(self) -> str | None:
        """The web address of the logo."""
        return settings.LOGO_URL or None

    @property
    def favicon_url(self) -> str | None:
        """The web address of the icon of pages."""
        return settings.FAVICON_URL or None

    @property
    def primary_color(self) -> str | None:
        """The color of buttons and links, as CSS writes it."""
        return settings.PRIMARY_COLOR or None

    @property
    def config(self) -> dict[str, object]:
        """Settings of front ends; there are none."""
        return {}

    # What every resource has, and settings do not tell
    reference = reference_origin = created_at = updated_at = None
    metadata: dict[str, object] = {}
