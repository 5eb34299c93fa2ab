import { describe, expect, it } from "vitest";
import { indexOf, isOpen, momentOf, oneStep, rangeOf, ranges, spread, stepCount } from "./stretch";

const stretch = { from: 600, to: 900, step: 60, wholeFrom: 600, now: 870 };

describe("a stretch", () => {
  it("finds the step of a time, and none outside", () => {
    expect(stepCount(stretch)).toBe(5);
    expect([599, 600, 659, 660, 899, 900, null].map((time) => indexOf(stretch, time))).toEqual([null, 0, 0, 1, 4, null, null]);
  });

  it("knows which step has not ended", () => {
    expect([3, 4].map((index) => isOpen(stretch, index))).toEqual([false, true]);
    expect([3, 4].map((index) => spread(stretch, index))).toEqual([60, 30]);
    expect(spread({ ...stretch, now: 842 }, 4)).toBe(60); // two seconds tell no rate
    expect(spread({ ...stretch, now: 300 }, 4)).toBe(60); // a clock that is behind
  });

  it("takes unknown ranges and moments for none", () => {
    expect(rangeOf("72h").seconds).toBe(259_200);
    expect(rangeOf("1y")).toBe(ranges[0]);
    expect(rangeOf(null)).toBe(ranges[0]);
    expect(momentOf("2026-11-21T10:00:00Z")).toBe(1_795_255_200);
    expect([momentOf("soon"), momentOf(null), momentOf("")]).toEqual([null, null, null]);
  });
});

describe("one step for a range", () => {
  for (const range of ranges)
    it(`holds nearly all of ${range.text}, whatever time it is`, () => {
      for (let now = 1_795_255_200; now < 1_795_255_200 + 200_000; now += 7_919) {
        const { from, step } = oneStep(range, now);
        expect(from % step).toBe(0);
        expect(step % range.step).toBe(0);
        expect(step).toBeLessThanOrEqual(7 * 86_400);
        expect(now).toBeLessThan(from + step);
        expect(now - from).toBeLessThanOrEqual(range.seconds);
        expect(now - from).toBeGreaterThan(0.7 * range.seconds);
      }
    });
});
