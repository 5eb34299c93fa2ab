import { expect, test } from "vitest";
import type { DrainHealth } from "../api/types";
import { advice, droppedText, lagText, lastStatus, nextTry, outcomeText, statusText, summary, testAdvice, worstFirst, type Shown } from "./words";

const health = (more: Partial<DrainHealth>): DrainHealth => ({
  id: 1, token: "d.1", url: "https://h/", state: "ok", cause: null, since: "2026-11-21T10:00:00Z", last_status: null, last_error: null,
  next_try: null, lag_records: 0, lag_seconds: 0, accepted: 0, delivered: 0, filtered: 0, dropped: {}, lost: [], dead_letters: 0,
  answers: 0, answer_seconds: {}, ...more,
});

test("statuses have their phrases", () => {
  expect(statusText(503)).toBe("503 Service Unavailable");
  expect(statusText(299)).toBe("299");
});

test("outcomes lose their step and address", () => {
  expect(outcomeText("connect: connection refused (127.0.0.1:9601)")).toBe("connection refused");
  expect(outcomeText("connect: connection refused ([::1]:9601)")).toBe("connection refused");
  expect(outcomeText("answered 503")).toBe("503 Service Unavailable");
  expect(outcomeText("tls: certificate has expired")).toBe("certificate has expired");
  expect(outcomeText("no answer within 15s")).toBe("no answer within 15s");
});

test("the last status is the last try's", () => {
  expect(lastStatus(health({ state: "pending" }))).toBe("never tried yet");
  expect(lastStatus(health({ last_status: 204, last_error: "answered 503" }))).toBe("204 No Content");
  expect(lastStatus(health({ state: "failing", cause: "connect: connection refused (1.2.3.4:5)", last_status: 200 }))).toBe("connection refused");
  expect(lastStatus(health({ state: "paused", cause: "answered 401", last_status: 401 }))).toBe("401 Unauthorized");
  expect(lastStatus(health({ state: "paused", cause: "by its owner", last_status: 204 }))).toBe("204 No Content");
  expect(lastStatus(health({ state: "paused", cause: "by its owner" }))).toBe("never tried yet");
  expect(lastStatus(health({ state: "ok" }))).toBe("acknowledged by TCP");
});

test("the next try counts down", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  const failing = health({ state: "failing", next_try: "2026-11-21T10:00:11.5Z" });
  expect(nextTry(failing, now)).toBe("in 12 s");
  expect(nextTry(failing, now + 60_000)).toBe("now");
  expect(nextTry(health({ next_try: "2026-11-21T10:00:11.5Z" }), now)).toBe("");
  expect(nextTry(health({ state: "paused", cause: "by its owner" }), now)).toBe("on resume");
});

test("lag and losses in words", () => {
  expect(lagText(health({}))).toBe("none");
  expect(lagText(health({ lag_records: 1, lag_seconds: 1.53 }))).toBe("1 record, 1.5 s");
  expect(droppedText({})).toBe("none");
  expect(droppedText({ refused: 3, overflow: 1400, memory: 0 })).toBe("1,400 overflow, 3 refused");
});

test("advice goes by the beginning of the cause", () => {
  expect(advice("ok", null)).toBe("");
  expect(advice("paused", "answered 401")).toMatch(/password/);
  expect(advice("failing", "tls: certificate has expired")).toMatch(/certificate/);
  expect(advice("failing", "connect: connection refused (1.2.3.4:5)")).toMatch(/is up/);
  expect(advice("failing", null)).toMatch(/is up/);
});

test("a failed test is advised about by its last step, and promises nothing of a drain that is not there", () => {
  const after = (step: "resolve" | "connect" | "handshake" | "send", outcome: string) =>
    testAdvice({ ok: false, steps: [{ step, seconds: 0, ok: false, outcome }] });
  expect(after("resolve", "no such name")).toBe("Check the host in the URL.");
  expect(after("resolve", "address not allowed")).toMatch(/TAILRACE_DRAIN_ALLOW/);
  expect(after("connect", "connection refused (127.0.0.1:1)")).toBe("See whether the far end is up.");
  expect(after("handshake", "certificate has expired")).toMatch(/certificate/);
  expect(after("send", "answered 401")).toBe("Check the user and the password in the URL.");
  expect(after("send", "answered 422")).toBe("It refuses the records themselves; its own log should say why.");
  expect(testAdvice({ ok: true, steps: [] })).toBe("");
});

test("the worst comes first, and order is stable", () => {
  const shown = (id: number, state: DrainHealth["state"] | undefined, since = "", more: Partial<DrainHealth> = {}, paused = false): Shown =>
    ({ drain: { id, token: `d.${id}`, state, since, paused }, health: state && health({ id, state, ...more }) });
  const all = [shown(1, "ok"), shown(2, undefined), shown(3, "paused", "2026-11-21T09:00:00Z", {}, true), shown(4, "failing", "2026-11-21T10:00:00Z"),
    shown(5, "paused", "2026-11-21T09:00:00Z"), shown(6, "failing", "2026-11-21T09:00:00Z"), shown(7, "ok", "", { lag_seconds: 31 }), shown(8, "pending")];
  expect(worstFirst(all).map(({ drain }) => drain.id)).toEqual([6, 4, 5, 7, 3, 8, 1, 2]);
  expect(summary(all)).toBe("8 drains: 2 failing, 2 paused, 1 pending, 2 ok, 1 reserved");
  expect(summary(all.slice(0, 1))).toBe("1 drain: 1 ok");
});
