"""GET /openapi.json: it is a sound document, and what it says of each route is so, whatever is asked."""

import json
import random
import re
import unittest

import jsonschema
from harness import AUTH, EndToEnd, counted, free_port, record
from openapi import METHODS, document_of

REFERENCE = {"type": "object", "required": ["$ref"], "additionalProperties": False, "properties": {"$ref": {"type": "string"}}}
SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
CONTENT = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[a-z]+/[a-z0-9.+-]+$"},
           "additionalProperties": {"type": "object", "required": ["schema"], "additionalProperties": False, "properties": {"schema": SCHEMA}}}
PARAMETER = {"type": "object", "required": ["name", "in", "schema"], "additionalProperties": False,
             "properties": {"name": {"type": "string"}, "in": {"enum": ["query", "header", "path", "cookie"]}, "schema": SCHEMA,
                            "required": {"type": "boolean"}, "description": {"type": "string"}, "explode": {"type": "boolean"}},
             "if": {"properties": {"in": {"const": "path"}}}, "then": {"required": ["required"], "properties": {"required": {"const": True}}}}
OPERATION = {
    "type": "object", "required": ["operationId", "summary", "security", "responses"], "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "operationId": {"type": "string", "pattern": "^[a-z0-9_]+$"}, "summary": {"type": "string", "minLength": 3},
        "security": {"type": "array", "items": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "array", "maxItems": 0}}},
        "parameters": {"type": "array", "items": {"anyOf": [REFERENCE, PARAMETER]}},
        "requestBody": {"type": "object", "required": ["content"], "additionalProperties": False, "properties": {"content": CONTENT}},
        "responses": {"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[1-5][0-9][0-9]$"},
                      "additionalProperties": {"type": "object", "required": ["description"], "additionalProperties": False,
                                               "properties": {"description": {"type": "string"}, "content": CONTENT}}}}}
# What of OpenAPI 3.1 the document uses, as strictly as its specification says it.
DOCUMENT = {
    "type": "object", "required": ["openapi", "info", "paths", "components"], "additionalProperties": False,
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"], "additionalProperties": False,
                 "properties": {"title": {"type": "string"}, "version": {"type": "string"}, "description": {"type": "string"}}},
        "servers": {"type": "array", "items": {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}},
        "paths": {"type": "object", "propertyNames": {"pattern": "^/"},
                  "additionalProperties": {"type": "object", "minProperties": 1, "propertyNames": {"enum": list(METHODS)},
                                           "additionalProperties": OPERATION}},
        "components": {"type": "object", "additionalProperties": False, "properties": {
            "schemas": {"type": "object", "propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"}, "additionalProperties": SCHEMA},
            "parameters": {"type": "object", "additionalProperties": PARAMETER},
            "securitySchemes": {"type": "object", "additionalProperties": {
                "oneOf": [
                    {"type": "object", "required": ["type", "scheme"], "additionalProperties": False,
                     "properties": {"type": {"const": "http"}, "scheme": {"enum": ["basic", "bearer"]}, "description": {"type": "string"}}},
                    {"type": "object", "required": ["type", "in", "name"], "additionalProperties": False,
                     "properties": {"type": {"const": "apiKey"}, "in": {"enum": ["query", "header", "cookie"]}, "name": {"type": "string"},
                                    "description": {"type": "string"}}}]}}}}}}


def all_references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from all_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from all_references(inner)


class OpenApi(EndToEnd):
    def setUp(self):
        self.router = self.node()
        self.document = document_of(self.router)

    def test_it_is_openapi(self):
        document = self.document.json
        jsonschema.Draft202012Validator.check_schema(DOCUMENT)
        jsonschema.Draft202012Validator(DOCUMENT).validate(document)
        schemas = document["components"]["schemas"]
        for name, schema in schemas.items():
            with self.subTest(schema=name):
                jsonschema.Draft202012Validator.check_schema(schema)
        used = set(all_references(document))
        for reference in used:
            self.document.resolve({"$ref": reference})
        for kind in ("schemas", "parameters"):
            for name in document["components"][kind]:
                self.assertIn(f"#/components/{kind}/{name}", used, "nobody uses it")
        schemes = set(document["components"]["securitySchemes"])
        for operation in self.document.operations.values():
            with self.subTest(operation=operation.id):
                self.assertEqual(sorted(operation.names), sorted(p["name"] for p in operation.parameters("path")))
                for one in operation.entry["security"]:
                    self.assertLessEqual(set(one), schemes)

    def fill(self):
        """One of everything in the router; the values of paths that name it."""
        far_end = self.far_end()
        channel, tokens = self.router.channel("shop", ["app", "heroku"])
        drain = self.router.drain(channel, far_end.url, headers={"X-Key": "secret"}, batch_bytes="64K")
        for name, procid, message in (("app", "web.1", "sample#queue=1 measure#db.time=5ms count#jobs=1"),
                                      ("heroku", "router", 'at=info method=GET path="/" host=a dyno=web.1 connect=1ms service=9ms '
                                       "status=200 bytes=5 request_id=a fwd=b")):
            answer = self.router.post(counted(record(tokens[name], message, procid=procid)), tokens[name])
            self.assertEqual(answer.status, 204, answer)
        self.router.wait_for_drain(channel, drain, delivered=2)
        self.router.good("POST", "/v3/credentials", {"id": "reader", "password": "long enough to be one", "permissions": [f"read:{channel}"]})
        link = self.router.good("POST", f"/v3/channels/{channel}/links", {"query": {"name": "db.time"}})["url"].rsplit("/", 1)[1]
        return {"c": channel, "d": str(drain["id"]), "t": tokens["app"], "id": "reader", "link": link}

    def test_every_route_answers_as_it_is_told(self):
        values = self.fill()
        router, channel = self.router, values["c"]
        session = router.good("POST", "/v2/sessions", {"channel_id": channel})["url"].rsplit("/", 1)[1]
        canary = router.good("POST", "/v2/canary-sessions", {"channel_id": channel})["url"].rsplit("/", 1)[1]
        reserved = router.good("POST", f"/channels/{channel}/drains/tokens")
        extra = {name: router.channel(name)[0] for name in ("one", "two", "three")}
        spare = [router.drain(channel, f"http://127.0.0.1:{free_port()}/{i}") for i in range(2)]
        url = iter(f"http://127.0.0.1:{free_port()}/" for _ in range(9))
        asked = set()

        def ask(operation_id, status=200, body=None, query=(), headers=None, auth=AUTH, **path):
            """One request, whose answer must be this one, and as the document has it."""
            operation = self.document.operations[operation_id]
            asked.add(operation_id)
            with self.subTest(operation=operation_id, body=body, query=query):
                if operation.body_schema() and isinstance(body, dict):
                    self.assertEqual(self.document.errors(operation.body_schema(), body), "")
                answer = router.api(operation.method, operation.url({**values, **path}, query), body, auth, headers=headers)
                self.assertEqual(answer.status, status, answer)
                self.assertIsNone(operation.check(answer))
                return answer

        ask("post_logs", 204, counted(record(values["t"], "x")), auth=f"token:{values['t']}",
            headers={"Content-Type": "application/logplex-1"})
        ask("post_logs", 200, counted(record(values["t"], "x")) + b"rest", auth=f"token:{values['t']}",
            headers={"Content-Type": "application/logplex-1"})
        ask("get_sessions_id", id=session, auth=None)
        ask("get_sessions_id", id=session, auth=None, headers={"Accept": "application/x-ndjson"})
        ask("get_sessions_id", id=session, auth=None, headers={"Accept": "text/event-stream"})
        ask("get_v2_canary_fetch_id", id=canary, auth=None)
        for probe in ("get_healthz", "get_readyz", "get_v3_healthcheck", "get_openapi_json", "get_metrics"):
            ask(probe, auth=None)
        ask("get_metrics", auth=None, headers={"Accept": "application/openmetrics-text"})
        for status in ("get_healthcheck", "get_v3_ledger", "get_v3_prometheus_targets"):
            ask(status)
        ask("get_v3_overview")
        ask("get_v3_overview", query=[("sort", "p95"), ("search", "SH"), ("offset", 0), ("limit", 2)])
        ask("get_v3_overview", auth="reader:long enough to be one")
        ask("get_v3_system")
        ask("post_channels", 201, {"name": "more", "tokens": ["app"]})
        ask("post_channels", 201, {})
        ask("get_channels_c_info")
        ask("post_channels_c_token", 201, {"name": "v1"})
        ask("post_channels_c_drains_tokens", 201)
        ask("get_v2_channels_c")
        ask("post_v2_channels_c_tokens", 201, {"name": "v2", "strict": True})
        ask("post_v2_channels_c_drains_d", 201, {"url": next(url), "filter": "status>=500"}, d=str(reserved["id"]))
        ask("post_v2_channels_c_drains", 201, {"url": next(url)}, c=extra["one"])
        for version, status in (("sessions", 201), ("v2_sessions", 201), ("v2_canary_sessions", 201), ("v3_sessions", 201)):
            ask(f"post_{version}", status, {"channel_id": channel, "num": "5", "grep": ["a"], "severity": "info"})
        ask("put_v3_channels_c", 201, {"tokens": ["app"], "name": "mine", "flags": {"no_tail": True}}, c="app-1 ü/?")
        ask("put_v3_channels_c", 200, {"tokens": []}, c="app-1 ü/?")
        ask("get_v3_channels_c", c="app-1 ü/?")
        ask("get_v3_channels_c")
        ask("get_v3_channels_c", auth="reader:long enough to be one")
        ask("get_v3_channels")
        ask("get_v3_channels", query=[("limit", 2), ("after", channel), ("name", "two")])
        ask("get_v3_channels_c_tokens")
        removable = ask("post_v3_channels_c_tokens", 200, {"name": "v3"}).json()["token"]
        ask("delete_v3_channels_c_tokens_t", 204, t=removable)
        ask("get_v3_channels_c_drains")
        made = ask("post_v3_channels_c_drains", 201, {"url": next(url)}, c=extra["two"]).json()
        ask("post_v3_channels_c_drains", 201, {}, c=extra["two"])
        ask("put_v3_channels_c_drains_d", 200, {"url": next(url)}, c=extra["two"], d=str(made["id"]))
        for route in ("", "_health", "_dead_letters"):
            ask(f"get_v3_channels_c_drains_d{route}")
        ask("get_v3_channels_c_drains_d_history", query=[("from", "2h"), ("step", "10m")])
        ask("post_v3_channels_c_drains_d_test")
        ask("post_v3_channels_c_drains_test", 200, {"url": next(url), "filter": "status>=500", "since": "oldest"})
        ask("post_v3_channels_c_drains_d_pause", 200)
        ask("post_v3_channels_c_drains_d_resume", 200)
        ask("post_v3_channels_c_drains_d_replay", 200, {"since": "oldest"})
        for form in ("application/logplex-1", "text/plain", "application/x-ndjson"):
            ask("get_v3_channels_c_logs", headers={"Accept": form}, query=[("num", 1)])
        ask("get_v3_channels_c_metrics", query=[("from", "2026-01-02T03:00:00Z"), ("to", "2026-01-02T04:00:00Z")])
        ask("get_v3_channels_c_metrics", query=[("format", "csv")])
        ask("get_v3_channels_c_metrics", query=[("format", "svg"), ("name", "router.service"), ("name", "db.time"), ("show", "p95"), ("show", "max")])
        ask("post_v3_channels_c_links", 201, {"query": {"name": ["router.service"], "source": "", "from": "2h", "step": 60, "show": ["p95"]}, "expires": "1h"})
        for form in ("json", "csv", "svg"):
            ask("get_links_link", query=[("format", form)], auth=None)
        ask("get_v3_channels_c_series", query=[("limit", 1)])
        ask("get_v3_channels_c_prometheus")
        cookie = ask("post_v3_login", 200, {"user": "reader", "password": "long enough to be one"}, auth=None).header("Set-Cookie").split(";")[0]
        own = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{router.admin}"}
        ask("post_v3_login", 401, {"user": "reader", "password": "wrong"}, auth=None)
        ask("get_v3_login", auth=None)
        ask("get_v3_login")
        ask("get_v3_login", auth=None, headers=own)
        ask("get_v3_channels_c_metrics", auth=None, headers=own)
        ask("get_v3_channels_c_prometheus", auth=None, headers=own)
        ask("post_v3_sessions", 201, {"channel_id": channel}, auth=None, headers=own)
        ask("delete_v3_login", 204, auth=None, headers=own)
        ask("get_login", 401, auth=None)
        ask("get_login", 303)
        ask("get_v3_credentials")
        ask("get_v3_credentials_id")
        ask("post_v3_credentials", 201, {"permissions": ["any_channel", f"read:{channel}"]})
        ask("post_v3_credentials", 201, {"id": "x", "name": "X", "password": "p" * 12, "permissions": ["full_api"]})
        ask("delete_v3_credentials_id", 204, id="x")
        ask("delete_v2_channels_c_drains_d", 200, d=str(spare[0]["id"]))
        ask("delete_v3_channels_c_drains_d", 204, d=str(spare[1]["id"]))
        ask("delete_channels_c", 200, c=extra["one"])
        ask("delete_v2_channels_c", 200, c=extra["two"])
        ask("delete_v3_channels_c", 204, c=extra["three"])
        self.assertEqual(set(self.document.operations) - asked, set(), "routes that nobody asked")

    TEXTS = ["", "x", "0", "-1", "1e999", "9" * 400, "\u0000", "a\u0000b", "\r\nX: y", "../..", "%", "%zz", "ü", "😀", "'\"<>&",
             "t.00000000-0000-0000-0000-000000000000", "x" * 3000, "oldest", "15m", "2026-11-21T00:00:00Z", "((((a*)*)*)*", "status>=", ":"]
    # What Logplex says, word for word, and so does not begin with the field.
    LOGPLEX = re.compile(r"NAME is a required field|Invalid drain destination: .+|You have already added the maximum number of drains "
                         r"allowed|maximum number of drains reached|channel not found")

    def hostile_value(self, rng, depth=0):
        kind = rng.randrange(9 if depth < 3 else 7)
        if kind < 3:
            return rng.choice(self.TEXTS)
        if kind == 3:
            return rng.choice([0, -1, 1, 2**63, -2**63, 2**64, 10**30, 1.5, -0.0, 1e308])
        if kind == 4:
            return rng.choice([True, False, None])
        if kind == 5:
            return rng.choice([[], {}, [[]], {"": ""}])
        if kind == 6:
            return [rng.choice(self.TEXTS) for _ in range(rng.randrange(4))]
        if kind == 7:
            return [self.hostile_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        return {rng.choice(self.TEXTS): self.hostile_value(rng, depth + 1) for _ in range(rng.randrange(4))}

    def hostile_body(self, rng, schema):
        """Bytes: an object with fields that the route knows, of types that it does not expect; or no object at all."""
        if rng.random() < 0.2:
            return rng.choice([b"", b"{", b"null", b"7", b"[]", b'"x"', b"\xff\xfe", b"1e999", b"[" * 5_000, b'{"a":' * 5_000, b"{}x",
                               b'{"name":"\\ud800"}', b'{"name":"a\x00"}', b"\xef\xbb\xbf{}", b"{'a':1}", b'{"a":1,}'])
        names = list(schema["properties"]) if schema else ["name"]
        pairs = []
        for name in rng.sample(names, rng.randrange(len(names) + 1)) + (["unknown"] if rng.random() < 0.3 else []):
            for _ in range(2 if rng.random() < 0.1 else 1):  # twice the same key
                pairs.append(json.dumps(name) + ":" + json.dumps(self.hostile_value(rng)))
        return ("{" + ",".join(pairs) + "}").encode()

    def test_whatever_is_asked_is_answered_as_it_is_told(self):
        values = self.fill()
        rng = random.Random(7)
        statuses = {}
        for operation in self.document.operations.values():
            fields = {p["name"] for p in operation.parameters("query")} | {"channel"}
            fields |= set((operation.body_schema() or {"properties": {}})["properties"])
            for round_ in range(40):
                path = {name: values[name] if rng.random() < 0.7 else rng.choice(self.TEXTS) or "0" for name in operation.names}
                query = [(p["name"], rng.choice(self.TEXTS)) for p in operation.parameters("query") if rng.random() < 0.4]
                body = None if operation.method == "GET" else self.hostile_body(rng, operation.body_schema())
                with self.subTest(operation=operation.id, round=round_, path=path, query=query, body=body and body[:100]):
                    answer = self.router.api(operation.method, operation.url(path, query), body)
                    self.assertIsNone(operation.check(answer))
                    statuses[answer.status] = statuses.get(answer.status, 0) + 1
                    if answer.status != 422:
                        continue
                    error = answer.json()["error"]
                    named = re.match(r"(\w+): \S", error)
                    self.assertTrue(self.LOGPLEX.fullmatch(error) or (named and named[1] in fields), error)
            # What a round removed comes back: every route is asked with what is there.
            if self.router.api("GET", f"/v3/channels/{values['c']}/drains/{values['d']}").status != 200 \
                    or self.router.api("GET", "/v3/credentials/reader").status != 200:
                self.router.api("DELETE", "/v3/credentials/reader")
                values = self.fill()
        self.assertGreater(statuses.get(422, 0), 100, statuses)
        self.assertGreater(statuses.get(400, 0), 50, statuses)
        self.assertEqual({status for status in statuses if status >= 500}, set())

    def test_methods_and_paths_that_are_not_told(self):
        values = self.fill()
        paths = {}
        for operation in self.document.operations.values():
            paths.setdefault(operation.path, set()).add(operation.method)
        # What one path spells out, another's parameter takes too: `drains/test`, `drains/{d}`.
        for path, methods in paths.items():
            for other in paths:
                if re.fullmatch(re.sub(r"{\w+}", "[^/]+", other), path):
                    methods |= paths[other]
        for path, methods in paths.items():
            operation = next(o for o in self.document.operations.values() if o.path == path)
            for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "FROB"):
                if method in methods:
                    continue
                with self.subTest(path=path, method=method):
                    answer = self.router.api(method, operation.url(values))
                    self.assertEqual(answer.status, 405, answer)
                    told = methods | ({"HEAD"} if "GET" in methods else set())
                    self.assertEqual(set(answer.header("Allow").split(", ")), told)
        for path in ("/v3", "/v3/nothing", "/v4/channels", "/openapi.json/x", "/load"):
            self.assertEqual(self.router.api("POST", path, b"[]").status, 404)


if __name__ == "__main__":
    unittest.main()
