import { expect, test } from "vitest";
import { visible } from "./visible";

test("what would hide or turn text is seen", () => {
  expect(visible("a\tb\nc <b>ü 😀</b>")).toBe("a\tb\nc <b>ü 😀</b>");
  expect(visible("\x1b[31m\u202eevil\u0000\u200b")).toBe("\\x1b[31m\\u202eevil\\x00\\u200b");
});
