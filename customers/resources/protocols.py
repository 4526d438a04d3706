"""What the API's language asks of those that it works with, whichever door they come from."""

from customers.services import principals, tokens

Principal = tokens.Principal | principals.InternalPrincipal
