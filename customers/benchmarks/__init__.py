"""How fast the API is, beside a stock Django REST framework and beside SQL written by hand.

`manage.py benchmark` seeds a PostgreSQL database, starts all three on the same tables and
measures what a request costs each: see its --help.
"""
