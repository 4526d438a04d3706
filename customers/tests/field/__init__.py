"""What shops, their programs and operators really send, and the right answer to each.

`test_*.py` hold. `pending_*.py` are cases that are not handled yet: pytest runs them where they are
named, and a test moves to the file that holds once it passes.
"""
