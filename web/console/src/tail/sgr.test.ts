import { describe, expect, it } from "vitest";
import { contrast, indexed, readable, type Rgb } from "./colour";
import { piecesOf, plainText } from "./sgr";

const esc = "\u001b";

describe("piecesOf", () => {
  it("leaves plain text alone", () => {
    expect(piecesOf("a\tb ünïcode 日本 🙂")).toEqual([{ text: "a\tb ünïcode 日本 🙂" }]);
  });
  it("styles by SGR and drops the sequence", () => {
    expect(piecesOf(`${esc}[1;31mred${esc}[0m plain`)).toEqual([
      { text: "red", style: { bold: true, ink: indexed(1) } },
      { text: " plain" },
    ]);
  });
  it("knows 16, 256 and true colour, by ; and by :", () => {
    const inks = (text: string) => piecesOf(text).map((piece) => piece.style?.ink);
    expect(inks(`${esc}[94mx`)).toEqual([indexed(12)]);
    expect(inks(`${esc}[38;5;196mx`)).toEqual([[255, 0, 0]]);
    expect(inks(`${esc}[38:5:244mx`)).toEqual([[128, 128, 128]]);
    expect(inks(`${esc}[38;2;1;2;3mx`)).toEqual([[1, 2, 3]]);
    expect(inks(`${esc}[38:2::1:2:3mx`)).toEqual([[1, 2, 3]]);
    expect(inks(`${esc}[38:2:1:2:3mx`)).toEqual([[1, 2, 3]]);
    expect(inks(`${esc}[38;5;999mx`)).toEqual([undefined]);
  });
  it("takes what follows a colour for itself", () => {
    expect(piecesOf(`${esc}[38;5;1;4mx`)[0]!.style).toEqual({ ink: indexed(1), underline: true });
    expect(piecesOf(`${esc}[3;7mx${esc}[23;27my`)).toEqual([{ text: "x", style: { italic: true, inverse: true } }, { text: "y" }]);
  });
  it("never conceals", () => {
    expect(piecesOf(`${esc}[8msecret`)).toEqual([{ text: "secret" }]);
  });
  it("shows every other sequence as text", () => {
    expect(plainText(`${esc}[2J${esc}]52;c;aGk=\u0007${esc}[31`)).toBe("⟨ESC⟩[2J⟨ESC⟩]52;c;aGk=⟨BEL⟩⟨ESC⟩[31");
    expect(plainText("\u0000\r\n\u007f\u009b31m")).toBe("⟨NUL⟩⟨CR⟩↵⟨DEL⟩⟨U+009B⟩31m");
  });
  it("shows bidi and what cannot be seen", () => {
    expect(plainText("a\u202eb\u2066c\u200bd\ufeff\u2028\u{e0041}")).toBe("a⟨RLO⟩b⟨LRI⟩c⟨ZWSP⟩d⟨BOM⟩⟨LS⟩⟨U+E0041⟩");
    expect(plainText("👨\u200d👩\u200d👧")).toBe("👨\u200d👩\u200d👧");
    expect(plainText("a\u200db")).toBe("a⟨ZWJ⟩b");
  });
  it("shows SGR too, raw", () => {
    expect(plainText(`${esc}[31mx`, true)).toBe("⟨ESC⟩[31mx");
  });
  it("ends soon with hostile text", () => {
    expect(piecesOf(`${esc}[`.repeat(20_000)).length).toBeGreaterThan(20_000);
    expect(piecesOf(`${esc}[${"1;".repeat(50_000)}`).length).toBe(2);
  });
});

describe("readable", () => {
  const grounds: Rgb[] = [[0xee, 0xf2, 0xf4], [0x1e, 0x28, 0x2d], [255, 0, 0], [128, 128, 128]]; // prettier-ignore
  it("brings every colour of the 256 to 4.5:1 on any ground", () => {
    for (const ground of grounds)
      for (let i = 0; i < 256; ++i) expect(contrast(readable(indexed(i), ground), ground)).toBeGreaterThanOrEqual(4.5);
  });
  it("leaves what can be read", () => {
    expect(readable([0, 0, 90], grounds[0]!)).toEqual([0, 0, 90]);
  });
});
