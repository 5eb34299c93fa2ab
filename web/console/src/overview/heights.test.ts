import { expect, it } from "vitest";
import { Heights } from "./heights";

it("finds rows that were never measured", () => {
  const heights = new Heights(10_000, 40);
  expect(heights.total).toBe(400_000);
  expect(heights.top(5000)).toBe(200_000);
  expect(heights.at(200_039)).toBe(5000);
  expect(heights.at(200_040)).toBe(5001);
});

it("moves what is below a row that turns out higher", () => {
  const heights = new Heights(10, 40);
  expect(heights.set(2, 100)).toBe(60);
  expect(heights.set(2, 100)).toBe(0);
  expect(heights.top(2)).toBe(80);
  expect(heights.top(3)).toBe(180);
  expect(heights.at(179)).toBe(2);
  expect(heights.total).toBe(460);
});

it("takes the nearest row beyond its ends", () => {
  const heights = new Heights(3, 10);
  expect(heights.at(-5)).toBe(0);
  expect(heights.at(500)).toBe(2);
  expect(heights.top(99)).toBe(30);
  expect(new Heights(0, 10).at(5)).toBe(0);
});

it("learns once what is usual, and anew when it forgot", () => {
  const heights = new Heights(4, 10);
  heights.set(0, 20);
  heights.learn(12);
  heights.learn(50);
  expect(heights.total).toBe(20 + 3 * 12);
  heights.forget();
  heights.learn(30);
  expect(heights.total).toBe(120);
});

it("forgets rows that went", () => {
  const heights = new Heights(4, 10);
  heights.set(3, 99);
  heights.resize(2);
  expect(heights.total).toBe(20);
  heights.resize(4);
  expect(heights.total).toBe(40);
});
