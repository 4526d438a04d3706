from typing import Any

from customers.db.declarations import Declaration, Erase, Tells, declared
from customers.management.base import OperatorCommand
from customers.models import Resource, all_models

ERASED = {
    Erase.KEEP: "stays",
    Erase.CLEAR: "is emptied",
    Erase.REDACT: "is replaced",
    Erase.DELETE: "goes with its row",
    Erase.SCRUB: "loses what quotes the person",
}
NAMES = {
    Tells.EMAIL: "an address",
    Tells.PHONE: "a telephone number",
    Tells.CODE: "a code",
    Tells.PLACE: "a part of a name and address",
}
HEAD = """# What is held of a person

Each column, what becomes of it when its customer is forgotten, and what else is declared of it.
`manage.py describe_columns` writes this page.
"""


class Command(OperatorCommand):
    help = "Prints, in Markdown, what is held in each column, and what becomes of it."

    def handle(self, *args: Any, **options: Any) -> None:
        common = declared(Resource)
        self.stdout.write(HEAD)
        self._write("Every type of the API", common)
        for model in sorted(all_models(), key=lambda one: one._meta.db_table):
            inherited = common if issubclass(model, Resource) else {}
            found = {name: one for name, one in declared(model).items() if name not in inherited}
            self._write(f"`{model._meta.db_table}`", found)

    def _write(self, title: str, found: dict[str, tuple[Any, Declaration]]) -> None:
        self.stdout.write(f"\n## {title}\n\n")
        self.stdout.write("| column | when the person is forgotten | besides |\n")
        self.stdout.write("| --- | --- | --- |\n")
        for name, (_, said) in found.items():
            self.stdout.write(f"| `{name}` | {ERASED[said.erase]} | {_besides(said)} |\n")


def _besides(said: Declaration) -> str:
    found = [
        said.tells and f"tells who it is, by {NAMES[said.tells]}",
        said.because,
        said.way and "ties the row to the one with this id",
        said.searched and "is searched in others' rows, too",
        said.secret and "secret",
        not (said.secret or said.audited) and "not in the audit log",
        not said.exported and "not in exports",
    ]
    return "; ".join(one for one in found if one)
