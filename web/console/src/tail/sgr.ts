// A message as pieces of text: SGR becomes style, every other control becomes a sign that can be seen.
import { indexed, type Rgb } from "./colour";

export interface Style {
  ink?: Rgb;
  ground?: Rgb;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
}
/** `sign`: `text` stands for something that cannot be seen. */
export interface Piece {
  text: string;
  style?: Style;
  sign?: boolean;
}

// What is not shown as it is: C0 but tab, DEL, C1, zero-width and bidi controls, line separators, tags, lone surrogates.
const special =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const allSpecial = new RegExp(special, "g");
const sgr = /\u001b\[([0-9;:]{0,200})m/y;

const controls =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");
const names: Record<number, string> = {
  0x7f: "DEL",
  0x00ad: "SHY", 0x061c: "ALM", 0x180e: "MVS", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM",
  0x2028: "LS", 0x2029: "PS", 0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ",
  0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
}; // prettier-ignore

/** `⟨ESC⟩`, `⟨RLO⟩`, `⟨U+009B⟩`: every font has these. */
export function signOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 0x0a) return "↵";
  return `⟨${controls[code] ?? names[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`;
}

/** `raw`: SGR is shown as text as well. A joiner within an emoji stays what it is. */
export function piecesOf(message: string, raw = false): Piece[] {
  if (!special.test(message)) return [{ text: message }];
  const pieces: Piece[] = [];
  let style: Style | undefined;
  let from = 0;
  const text = (end: number) => {
    if (end > from) pieces.push(style ? { text: message.slice(from, end), style } : { text: message.slice(from, end) });
  };
  allSpecial.lastIndex = 0;
  for (let found = allSpecial.exec(message); found; found = allSpecial.exec(message)) {
    const at = found.index;
    const character = found[0];
    if (character === "\u200d" && /\p{Extended_Pictographic}\ufe0f?$/u.test(message.slice(Math.max(0, at - 3), at))) continue;
    text(at);
    sgr.lastIndex = at;
    const sequence = raw || character !== "\u001b" ? null : sgr.exec(message);
    if (sequence) style = styled(style ?? {}, sequence[1]!);
    else pieces.push(style ? { text: signOf(character), style, sign: true } : { text: signOf(character), sign: true });
    from = at + (sequence ? sequence[0].length : character.length);
    allSpecial.lastIndex = from;
  }
  text(message.length);
  return pieces;
}

/** As it is read, without styles: what a filter's marks go by. */
export const plainText = (message: string, raw = false) =>
  special.test(message) ? piecesOf(message, raw).map((piece) => piece.text).join("") : message;

function styled(before: Style, parameters: string): Style | undefined {
  let style: Style = { ...before };
  // Sub-parameters by colons are one parameter with its arguments.
  const list = parameters === "" ? ["0"] : parameters.split(";");
  for (let i = 0; i < list.length; ++i) {
    const parts = list[i]!.split(":").map(Number);
    const code = parts[0]!;
    if (code === 38 || code === 48) {
      const [colour, used] = parts.length > 1 ? [colourOf(parts.slice(1), true), 0] : chosen(list.slice(i + 1).map(Number));
      i += used;
      if (colour) style[code === 38 ? "ink" : "ground"] = colour;
    } else if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4 || code === 21) style.underline = parts[1] !== 0;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code === 39) delete style.ink;
    else if (code === 49) delete style.ground;
    else if (code >= 30 && code <= 37) style.ink = indexed(code - 30);
    else if (code >= 40 && code <= 47) style.ground = indexed(code - 40);
    else if (code >= 90 && code <= 97) style.ink = indexed(code - 82);
    else if (code >= 100 && code <= 107) style.ground = indexed(code - 92);
  }
  return Object.values(style).some(Boolean) ? style : undefined;
}

/** `5;N` and `2;R;G;B` behind a 38 or 48, and how many parameters that took. */
function chosen(rest: number[]): [Rgb | undefined, number] {
  if (rest[0] === 5) return [colourOf(rest.slice(0, 2)), 2];
  if (rest[0] === 2) return [colourOf(rest.slice(0, 4)), 4];
  return [undefined, 0];
}

/** `space`: a colour space may stand before the parts, as in `2::R:G:B`. */
function colourOf(parts: number[], space = false): Rgb | undefined {
  const byte = (value: number | undefined) => value !== undefined && Number.isInteger(value) && value >= 0 && value <= 255;
  if (parts[0] === 5) return byte(parts[1]) ? indexed(parts[1]!) : undefined;
  if (parts[0] !== 2) return undefined;
  const rgb = space && parts.length >= 5 ? parts.slice(2, 5) : parts.slice(1, 4);
  return rgb.length === 3 && rgb.every(byte) ? (rgb as unknown as Rgb) : undefined;
}
