import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import { bodyOf, nothing, takesHttp, takesTls, wrongOf } from "./wanted";

test("what is left empty is not sent", () => {
  expect(bodyOf({ ...nothing, url: " https://h/in " })).toEqual({ body: { url: "https://h/in" } });
  expect(bodyOf(nothing)).toHaveProperty("wrong.url");
});

test("options go to the kinds that take them", () => {
  const all = { ...nothing, since: "15m", format: "rfc5424", filter: "status>=500", compression: "zstd", headers: "X-Team: shop\n\nA:b:c",
    batch_bytes: "64K", batch_delay: "1s", signing_secret: " spaces stay ", tls_ca: "PEM" };
  expect(bodyOf({ ...all, url: "https://h/" })).toEqual({ body: { url: "https://h/", since: "15m", format: "rfc5424", filter: "status>=500", zstd: true,
    headers: { "X-Team": "shop", A: "b:c" }, batch_bytes: "64K", batch_delay: "1s", signing_secret: " spaces stay ", tls_ca: "PEM" } });
  expect(bodyOf({ ...all, url: "syslog://h:601" })).toEqual({ body: { url: "syslog://h:601", since: "15m", format: "rfc5424", filter: "status>=500" } });
  expect(takesHttp("http")).toBe(true);
  expect(takesTls("syslog+tls://h")).toBe(true);
  expect(takesTls("http://h")).toBe(false);
});

test("headers that are none are told before anything is asked", () => {
  expect(bodyOf({ ...nothing, url: "https://h/", headers: "nonsense" })).toHaveProperty("wrong.headers");
  expect(bodyOf({ ...nothing, url: "https://h/", headers: "A: 1\na: 2" })).toHaveProperty("wrong.headers");
});

test("what the API says is wrong stands beside its field", () => {
  const wrong = (text: string, status = 422) => wrongOf(new ApiError(status, text));
  expect(wrong("Invalid drain destination: filter: status>=: a number is missing (at 9)")).toEqual({ filter: "status>=: a number is missing (at 9)" });
  expect(wrong("Invalid drain destination: batch_bytes: takes 1K to 8M")).toEqual({ batch_bytes: "It takes 1K to 8M." });
  expect(wrong("Invalid drain destination: gzip, zstd: one of them")).toEqual({ compression: "one of them" });
  expect(wrong("since: takes a duration (15m), an RFC 3339 time, or oldest")).toHaveProperty("since");
  expect(wrong("Invalid drain destination: unknown_scheme: ftp")).toHaveProperty("url");
  expect(wrong("Invalid drain destination: kafka: not built yet")).toEqual({ url: "kafka: not built yet" });
  expect(wrong("maximum number of drains reached")).toHaveProperty("form");
  expect(wrong("Already exists", 409)).toHaveProperty("url");
  expect(wrong("a test of this drain is under way", 409)).toHaveProperty("form");
  expect(wrong("API temporarily in read-only mode", 503)).toEqual({ form: "API temporarily in read-only mode" });
});
