// How much of a bound is used: a bar, and the same in words.
import { bytes, exact, share } from "./figures";

const scarce = 0.8; // from here on it stands out
const full = 0.95;

export type Fill = "" | "warn" | "bad";

export function fillOf(part: number | null | undefined): Fill {
  if (part === null || part === undefined || !(part >= scarce)) return "";
  return part >= full ? "bad" : "warn";
}

/** `over 80 % of its bound`, or nothing. */
export function fillWords(part: number | null | undefined): string {
  const fill = fillOf(part);
  return fill === "" ? "" : fill === "warn" ? "over 80 % of its bound" : "over 95 % of its bound";
}

/** The bar alone, for who sees; the words beside it say the same. `part`: of 1. */
export function Bar({ part, fill = fillOf(part) }: { part: number; fill?: Fill }) {
  const width = Math.max(0, Math.min(1, part)) * 100;
  return (
    <span class={`bar ${fill}`} aria-hidden="true">
      <span style={{ width: `${width}%` }} />
    </span>
  );
}

interface MeterProps {
  used: number;
  bound: number | null; // null: it has none of its own
  unit?: "bytes" | "count";
}

/** `▬▬── 81 MiB of 1 GiB, 7.9 %` */
export function Meter({ used, bound, unit = "bytes" }: MeterProps) {
  const told = unit === "bytes" ? bytes : exact;
  if (bound === null || bound <= 0)
    return (
      <span class="meter">
        <span class="meter-text">
          {told(used)} <span class="faint">no bound of its own</span>
        </span>
      </span>
    );
  const part = used / bound;
  const words = fillWords(part);
  return (
    <span class="meter">
      <Bar part={part} />
      <span class="meter-text">
        {told(used)} <span class="faint">of {told(bound)}, {share(part)}</span>
        {words && <strong class={fillOf(part)}> {fillOf(part) === "bad" ? "■" : "▲"} {words}</strong>}
      </span>
    </span>
  );
}
