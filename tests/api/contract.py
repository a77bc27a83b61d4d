"""What the contract's tests share: requests whose answers are checked against the document."""
import node_fixture as fixture
from document import Document
from wire import Connection

DOCUMENT = Document()
WHY_NOT = fixture.missing()
SEEN = set()  # (operation id, status as documented)
# What cannot be provoked on loopback, with the reason.
NEVER_SEEN = {}


class Call:
    """Requests whose answers are checked against the document."""

    def __init__(self, node, token=None):
        self.port = node.port
        self.headers = {"Authorization": f"Bearer {fixture.TOKENS[token]}"} if token else {}

    def __call__(self, method, target, body=None, expect=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with Connection(self.port) as connection:
            response = connection.request(method, target, {**self.headers, **headers}, body)
        return check(method, target, response, expect)


def check(method, target, response, expect=None):
    operation = DOCUMENT.operation(method, target)
    assert operation, f"{method} {target} is not documented"
    problems, key = DOCUMENT.answer_problems(operation, response)
    SEEN.add((operation["operationId"], key))
    where = f"{method} {target}: {response.status} {response.text[:300]}"
    assert not problems, "\n".join([where, *problems])
    if expect is not None:
        status, _, code = str(expect).partition(" ")
        assert response.status == int(status), f"{where}\nexpected {expect}"
        assert not code or response.json["code"] == code, f"{where}\nexpected {expect}"
    return response
