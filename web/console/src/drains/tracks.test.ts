import { expect, test } from "vitest";
import type { DrainHistory } from "../api/types";
import { inWords, latest, mostSteps, stepsOf, ticks, valueText } from "./tracks";

const point = (time: string, more: Partial<DrainHistory["points"][number]> = {}) => ({
  time, state: "ok" as const, delivered: 0, filtered: 0, dropped: {}, buffered: 0, lag_seconds: 0, answers: 0, ...more,
});
const history: DrainHistory = {
  from: "2026-11-21T09:00:00Z", to: "2026-11-21T09:10:00Z", step: 60, whole_from: "2026-11-21T09:02:00Z",
  points: [
    point("2026-11-21T09:03:00Z", { delivered: 600, answers: 3, p50: 0.01, p99: 0.2 }),
    point("2026-11-21T09:05:00Z", { state: "failing", dropped: { overflow: 14, refused: 2 }, buffered: 9, lag_seconds: 4 }),
    point("2026-11-21T09:09:00Z", { delivered: 60 }),
  ],
};
const at = Date.parse("2026-11-21T09:09:30Z");
const track = (name: string) => stepsOf(history, at).tracks.find((t) => t.name === name)!;

test("what is not known is a gap, and where nothing happened there is nothing", () => {
  const delivered = track("Delivered").series[0]!.values;
  expect(delivered).toEqual([null, null, 0, 10, 0, 0, 0, 0, 0, 2]); // the last minute has had 30 s
  expect(stepsOf(history, at).states).toEqual([null, null, null, "ok", null, "failing", null, null, null, "ok"]);
  expect(stepsOf(history, at).knownFrom).toBe(2);
});

test("a step that has only just begun has no rate", () => {
  expect(latest(stepsOf(history, Date.parse("2026-11-21T09:09:05Z")))).toBe(8);
  expect(stepsOf(history, Date.parse("2026-11-21T09:09:05Z")).tracks[0]!.series[0]!.values.at(-1)).toBe(null);
});

test("answer times are those of steps with answers", () => {
  expect(track("Answer time").series.map((s) => s.values[3])).toEqual([0.01, 0.2]);
  expect(track("Answer time").series[0]!.values[5]).toBe(null);
});

test("drops are told by reason", () => {
  expect(track("Dropped").series.map((s) => s.name)).toEqual(["overflow", "refused"]);
  expect(track("Dropped").most).toBe(16);
  expect(valueText(track("Dropped"), 5)).toBe("overflow 14, refused 2");
  expect(valueText(track("Dropped"), 3)).toBe("none");
  expect(valueText(track("Delivered"), 0)).toBe("–");
  expect(valueText(track("Answer time"), 3)).toBe("p50 10 ms, p99 200 ms");
  expect(inWords(track("Lag"), stepsOf(history, at))).toBe("Lag: at most 4 s, last 0 s");
  expect(stepsOf(history, at).tracks.some((t) => t.name === "Filtered")).toBe(false);
});

test("however much comes, it is bounded", () => {
  const long = stepsOf({ ...history, from: "2020-01-01T00:00:00Z" }, at);
  expect(long.count).toBe(mostSteps);
  expect(long.states.at(-1)).toBe("ok");
  const empty = stepsOf({ ...history, points: [] }, at);
  expect(empty.count).toBe(10);
});

test("marks are on round times", () => {
  const begin = new Date(2026, 10, 21, 9, 3).getTime();
  const marks = ticks(begin, begin + 7_200_000, 6);
  expect(marks.map((m) => [new Date(m).getHours(), new Date(m).getMinutes()])).toEqual([[9, 30], [10, 0], [10, 30], [11, 0]]);
  expect(ticks(begin, begin + 259_200_000, 4).every((m) => new Date(m).getHours() % 12 === 0)).toBe(true);
});
