"""The API's own document as tests use it: its operations, and answers held against it."""

import json
import re
import urllib.parse

import jsonschema

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


class Operation:
    """One route of the document."""

    def __init__(self, document, path, method, entry):
        self.document, self.path, self.method, self.entry = document, path, method.upper(), entry
        self.id = entry["operationId"]
        self.permission = entry["x-permission"]
        self.listeners = entry["x-listeners"]
        self.names = re.findall(r"{(\w+)}", path)
        self.responses = entry["responses"]

    def __repr__(self):
        return f"{self.method} {self.path}"

    def url(self, values, query=()):
        """With these values in its path, encoded, and these pairs behind it."""
        path = re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(values[m[1]], safe=""), self.path)
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def parameters(self, place):
        """Those of its query or its head, without references."""
        found = [self.document.resolve(p) for p in self.entry.get("parameters", [])]
        return [p for p in found if p["in"] == place]

    def body_schema(self):
        """Of a JSON body, without a reference; None: it takes none."""
        schema = self.entry.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        return self.document.resolve(schema) if schema else None

    @property
    def takes_full_api(self):
        return self.permission == "full_api"

    @property
    def is_api(self):
        """As far as states go: what needs a credential, and is no ingest and no scrape."""
        return bool(self.entry["security"]) and not any("token" in one for one in self.entry["security"])

    def check(self, answer):
        """That the document tells of this answer; a text that says why not, or None."""
        told = self.responses.get(str(answer.status))
        if told is None:
            return f"{self}: {answer.status} is not told of, but {sorted(self.responses)}: {answer}"
        if "content" not in told:
            return None if not answer.body else f"{self}: a body where none is told of: {answer}"
        if self.method == "HEAD":
            return None
        kind = (answer.header("Content-Type") or "").split(";")[0]
        if kind not in told["content"]:
            return f"{self}: {answer.status} of the type {kind!r}, told are {sorted(told['content'])}: {answer}"
        if kind != "application/json":
            return None
        errors = self.document.errors(told["content"][kind]["schema"], answer.json())
        return f"{self}: {answer.status}: {errors}: {answer}" if errors else None


class Document:
    def __init__(self, text):
        self.json = json.loads(text)
        self.operations = {}
        for path, methods in self.json["paths"].items():
            for method, entry in methods.items():
                operation = Operation(self, path, method, entry)
                assert operation.id not in self.operations, operation.id
                self.operations[operation.id] = operation

    def resolve(self, value):
        while "$ref" in value:
            place = self.json
            for step in value["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            value = place
        return value

    def errors(self, schema, value):
        """What is wrong with a value, the first of it; empty: nothing."""
        whole = {"components": self.json["components"], **schema}
        found = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        return "; ".join(f"{list(e.absolute_path)}: {e.message}"[:300] for e in found[:3])


def document_of(node):
    answer = node.api("GET", "/openapi.json", auth=None)
    assert answer.status == 200, answer
    return Document(answer.body)
