"""The door for staff: the Django admin, and how staff log in."""
