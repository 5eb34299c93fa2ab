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
  return (
    <span class={`bar ${fill}`} aria-hidden="true">
      {part > 0 && <span style={{ width: `${Math.min(1, part) * 100}%` }} />}
    </span>
  );
}

interface MeterProps {
  used: number;
  bound: number | null; // null: it has none of its own
  unit?: string; // what is counted; bytes as KiB, MiB, …
}

/** `81 MiB of 1 GiB, 7.9 %` and a bar below. */
export function Meter({ used, bound, unit = "bytes" }: MeterProps) {
  const told = (value: number) => (unit === "bytes" ? bytes(value) : exact(value));
  const counted = unit === "bytes" || unit === "" ? "" : ` ${unit}`;
  if (bound === null || bound <= 0)
    return (
      <span class="meter">
        <span class="meter-text">
          {told(used)}
          {counted} <span class="faint">no bound of its own</span>
        </span>
      </span>
    );
  const part = used / bound;
  const words = fillWords(part);
  return (
    <span class="meter">
      <span class="meter-text">
        {told(used)}{" "}
        <span class="faint">
          of {told(bound)}
          {counted}, {share(part)}
        </span>
        {words && (
          <strong class={fillOf(part)}>
            {" "}
            <span aria-hidden="true">{fillOf(part) === "bad" ? "■" : "▲"}</span> {words}
          </strong>
        )}
      </span>
      <Bar part={part} />
    </span>
  );
}
