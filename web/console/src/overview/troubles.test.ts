import { describe, expect, it } from "vitest";
import type { OverviewRow, Trouble } from "../api/types";
import { reasons, told, troubled, type Part } from "./troubles";

const now = Date.parse("2026-11-21T10:00:00Z");
const shop: OverviewRow = {
  channel: "my/shop",
  name: "shop",
  troubles: ["losing", "failing", "slow"],
  records_per_second: 250,
  requests_per_second: 50,
  p50: 0.02,
  p95: 4.9,
  p99: 12.1,
  error_share: 0.031,
  slow_since: "2026-11-21T09:48:00.000Z",
  errors_since: "2026-11-21T09:00:00.000Z",
  slow_dynos: [
    { dyno: "web.3", p95: 9.8 },
    { dyno: "web.1", p95: 2 },
  ],
  drains: { pending: 0, ok: 1, failing: 1, paused: 0 },
  failing_since: "2026-11-21T09:59:12.000Z",
  lag_records: 1200,
  lag_seconds: 48.1,
  dropped: { overflow: 14 },
  lost_at: "2026-11-21T09:59:40.000Z",
};

const text = (parts: Part[]) =>
  parts.map((part) => (typeof part === "string" ? part : "time" in part ? part.time.slice(11, 16) : "link" in part ? part.link : part.whole)).join("");
const say = (...troubles: Trouble[]) => told({ ...shop, troubles }, now).map(({ parts }) => text(parts));

describe("told", () => {
  it("says what, since when, for how long, where", () => {
    expect(say("losing")).toEqual(["14 records lost (overflow), last 09:59"]);
    expect(say("failing")).toEqual(["1 drain failing since 09:59 (48 s)"]);
    expect(say("errors")).toEqual(["3.1 % of requests failed since 09:00 (60 min)"]);
    expect(say("slow")).toEqual(["p95 4.9 s, slow since 09:48 (12 min), worst web.3 9.8 s, web.1 2 s"]);
    expect(say("lagging")).toEqual(["48.1 s behind, 1,200 records waiting"]);
  });
  it("leaves out what it does not know", () => {
    const bare = { ...shop, slow_since: null, slow_dynos: [], lost_at: null, dropped: {} };
    expect(told(bare, now).map(({ parts }) => text(parts))[2]).toBe("p95 4.9 s, slow");
    expect(text(told(bare, now)[0]!.parts)).toBe("0 records lost");
  });
  it("tells drains that their far end stopped from failing ones", () => {
    const paused = { ...shop, troubles: ["failing" as const], drains: { pending: 0, ok: 1, failing: 0, paused: 1 } };
    expect(text(told(paused, now)[0]!.parts)).toBe("1 drain paused by its far end since 09:59 (48 s)");
  });
  it("counts one record as one", () =>
    expect(text(told({ ...shop, dropped: { refused: 1 } }, now)[0]!.parts)).toBe("1 record lost (refused), last 09:59"));
  it("leads to metrics or drains", () =>
    expect(told(shop, now).map(({ href }) => href)).toEqual([
      "#/channels/my%2Fshop/drains",
      "#/channels/my%2Fshop/drains",
      "#/channels/my%2Fshop/metrics?at=2026-11-21T09%3A48%3A00.000Z",
    ]));
  it("has one link a sentence, without names and figures", () => {
    const all = told({ ...shop, troubles: ["losing", "failing", "errors", "slow", "lagging"] }, now);
    const links = all.map(({ parts }) => parts.flatMap((part) => (typeof part === "object" && "link" in part ? [part.link] : [])));
    for (const of of links) expect(of).toEqual([expect.stringMatching(/^[a-z ]+$/)]);
  });
  it("knows no trouble that it was not told of", () =>
    expect(told({ ...shop, troubles: ["constructor" as Trouble, "slow"] }, now)).toHaveLength(1));
});

it("gives reasons with the most first", () => {
  expect(reasons({ memory: 3, overflow: 1400, none: 0 })).toBe("overflow 1,400, memory 3");
  expect(reasons({ overflow: 14 })).toBe("overflow");
});

it("counts troubles as far as the rows go", () => {
  const fine = { ...shop, troubles: [] };
  expect(troubled([shop, { ...shop, troubles: ["slow"] }, fine], 9)).toEqual({
    channels: 2,
    more: false,
    which: "1 losing records, 1 with a failing drain, 2 slow",
  });
  expect(troubled([shop, shop], 9).more).toBe(true);
  expect(troubled([shop, shop], 2).more).toBe(false);
});
