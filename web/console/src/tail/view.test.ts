import { describe, expect, it } from "vitest";
import { pairsOf, partsOf } from "./pairs";
import { Seen } from "./seen";
import { timeText } from "./settings";
import { sessionPath } from "./stream";
import { askOf, fromThePast, viewOf, withoutTerm, withTerm } from "./view";

const view = (search: string) => viewOf(new URLSearchParams(search));

describe("view", () => {
  it("asks for the newest 200, and what follows", () => {
    expect(askOf("7", view(""), 10_000)).toEqual({ channel_id: "7", tail: "1", num: "200" });
  });
  it("hands on what the URL says", () => {
    expect(askOf("7", view("ps=web&source=app&filter=status%3E%3D500&grep=a&grep=b&exclude=c&severity=err&since=15m&q=typed"), 10_000)).toEqual({
      channel_id: "7", tail: "1", ps: "web", source: "app", filter: "status>=500", grep: ["a", "b"], exclude: ["c"], severity: "err", since: "15m", num: "10000",
    }); // prettier-ignore
  });
  it("reads a moment of the past from its beginning", () => {
    const past = view("since=2026-11-21T10:00:00Z&after=12");
    expect(fromThePast(past)).toBe(true);
    expect(askOf("7", past, 10_000)).toEqual({ channel_id: "7", tail: "1", since: "2026-11-21T10:00:00Z", after: 12 });
    expect(fromThePast(view("since=oldest"))).toBe(false);
    expect(view("after=x").after).toBe("");
  });
  it("adds and removes terms", () => {
    expect(withTerm("", "a=1")).toBe("a=1");
    expect(withTerm("a=1", "b=2")).toBe("a=1 b=2");
    expect(withTerm("a=1 or c=3", "b=2")).toBe("a=1 b=2 or c=3 b=2");
    expect(withoutTerm('a=1 b="x y" c=3', 'b="x y"')).toBe("a=1 c=3");
    expect(withoutTerm("a=1", "a=1")).toBe("");
  });
});

describe("partsOf", () => {
  it("finds pairs, a name again too", () => {
    expect(pairsOf('at=info path="/a b" empty= x fwd="1\\"2" at=x =no "q=1"')).toEqual([
      ["at", "info"], ["path", "/a b"], ["empty", ""], ["fwd", '1\\"2'], ["at", "x"],
    ]); // prettier-ignore
  });
  it("finds the members of an object", () => {
    expect(partsOf('{"a":1,"b":{"c":[2]},"d":"x=1"}')).toEqual({ kind: "json", parts: [["a", "1"], ["b", '{ "c": [ 2 ] }'], ["d", "x=1"]] }); // prettier-ignore
    expect(partsOf("{no json} a=1")).toEqual({ kind: "pairs", parts: [["a", "1"]] });
  });
});

it("Seen is bounded, most frequent first", () => {
  const seen = new Seen();
  for (let i = 0; i < 5; ++i) seen.add("heroku", "router");
  for (let i = 0; i < 5000; ++i) seen.add(`app${i}`, `web.${i % 3}`);
  expect(seen.sources(1)).toEqual(["heroku"]);
  expect(seen.dynos(4)).toEqual(["web", "web.0", "web.1", "web.2"]);
  expect(seen.sources(1000).length).toBeLessThanOrEqual(200);
});

it("sessionPath takes the path on this origin", () => {
  expect(sessionPath("http://127.0.0.1:8601/sessions/ab-12")).toBe("/sessions/ab-12");
  expect(sessionPath("https://logs.example.com/tailrace/sessions/ab-12")).toBe("/sessions/ab-12");
});

it("timeText", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  expect(timeText("2026-11-21T09:59:48.500Z", "relative", now)).toBe("11 s ago");
  expect(timeText("2026-11-21T09:59:48.500123+00:00", "utc", now)).toBe("09:59:48.500Z");
  expect(timeText("2026-11-01T09:59:48Z", "utc", now)).toBe("11-01 09:59:48.000Z");
  expect(timeText("yesterday", "local", now)).toBe("yesterday");
});
