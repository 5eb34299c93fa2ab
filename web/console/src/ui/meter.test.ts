import { expect, it } from "vitest";
import { fillOf, fillWords } from "./meter";

it("stands out from 80 % on", () => {
  expect([0, 0.79, 0.8, 0.94, 0.95, 2].map(fillOf)).toEqual(["", "", "warn", "warn", "bad", "bad"]);
  expect([null, undefined, NaN].map(fillOf)).toEqual(["", "", ""]);
  expect(fillWords(0.5)).toBe("");
  expect(fillWords(0.81)).toBe("over 80 % of its bound");
  expect(fillWords(0.99)).toBe("over 95 % of its bound");
});
