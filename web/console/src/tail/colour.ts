// Colours that programs choose, brought to a contrast that can be read, on light and on dark.

export type Rgb = readonly [number, number, number];

// What rows stand on, at their worst (style/tokens.css, --raised).
const lightGround: Rgb = [0xee, 0xf2, 0xf4];
const darkGround: Rgb = [0x1e, 0x28, 0x2d];
const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];
const enough = 4.5;

function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function mixed(a: Rgb, b: Rgb, share: number): Rgb {
  return a.map((value, i) => Math.round(value + (b[i]! - value) * share)) as unknown as Rgb;
}

/** The colour itself, or as little darker or lighter as it must be on that ground. */
export function readable(colour: Rgb, ground: Rgb): Rgb {
  if (contrast(colour, ground) >= enough) return colour;
  const end = contrast(black, ground) >= contrast(white, ground) ? black : white;
  let [low, high] = [0, 1];
  for (let i = 0; i < 8; ++i) {
    const middle = (low + high) / 2;
    contrast(mixed(colour, end, middle), ground) >= enough ? (high = middle) : (low = middle);
  }
  return mixed(colour, end, high);
}

const css = (colour: Rgb) => `rgb(${colour.join(" ")})`;
const kept = new Map<string, string>();

/** For `color`: of text without a ground of its own, by theme; else on that ground. */
export function inkOf(colour: Rgb, ground?: Rgb): string {
  const key = `${colour.join()}/${ground?.join() ?? ""}`;
  let found = kept.get(key);
  if (found === undefined) {
    found = ground
      ? css(readable(colour, ground))
      : `light-dark(${css(readable(colour, lightGround))}, ${css(readable(colour, darkGround))})`;
    if (kept.size >= 1000) kept.clear();
    kept.set(key, found);
  }
  return found;
}

/** For `background-color`, and the text on it that has no colour. */
export const groundOf = css;
export const plainInkOn = (ground: Rgb): Rgb => (contrast(black, ground) >= contrast(white, ground) ? black : white);

const sixteen: Rgb[] = [
  [0, 0, 0], [194, 54, 33], [37, 148, 36], [160, 120, 0], [40, 90, 210], [180, 60, 180], [20, 140, 160], [190, 195, 200],
  [110, 120, 125], [240, 70, 60], [50, 190, 60], [220, 180, 30], [90, 130, 250], [220, 90, 220], [50, 200, 220], [255, 255, 255],
]; // prettier-ignore

/** Of the 256 that terminals know. */
export function indexed(index: number): Rgb {
  if (index < 16) return sixteen[index]!;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return [grey, grey, grey];
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const at = index - 16;
  return [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)];
}
