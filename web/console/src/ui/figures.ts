// Numbers and times in words; "–" where there is none.

const none = "–";

function short(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** `0.25`, `12.5`, `1,234`, `12.3k`, `4.5M` */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)}G`;
  if (size >= 1e6) return `${short(value / 1e6)}M`;
  if (size >= 1e4) return `${short(value / 1e3)}k`;
  return size >= 1000 ? Math.round(value).toLocaleString("en-US") : short(value);
}

/** Every digit: `39,734`. */
export function exact(value: number): string {
  return value.toLocaleString("en-US");
}

/** Seconds as `850 µs`, `12 ms`, `1.2 s`, `31 s`, `4 min`, `3 h`, `2 d` */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return none;
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${short(seconds * 1e6)} µs`;
  if (seconds < 1) return `${short(seconds * 1e3)} ms`;
  if (seconds < 90) return `${short(seconds)} s`;
  if (seconds < 5400) return `${short(Math.round(seconds / 6) / 10)} min`;
  if (seconds < 172800) return `${short(Math.round(seconds / 360) / 10)} h`;
  return `${short(Math.round(seconds / 8640) / 10)} d`;
}

/** How long something lasts so far, in whole units: `48 s`, `12 min`, `3 h`, `2 d` */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.floor(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/** A share of 1 as `0.2 %` */
export function share(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  return `${short(value * 100)} %`;
}

/** Powers of 1,024: `512 B`, `1.5 MiB` */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit + 1 < units.length) {
    size /= 1024;
    unit += 1;
  }
  return `${short(size)} ${units[unit]}`;
}

/** A value of a series in its unit. */
export function inUnit(value: number | null | undefined, unit: string): string {
  if (unit === "seconds") return duration(value);
  if (unit === "bytes") return bytes(value);
  return unit ? `${count(value)} ${unit}` : count(value);
}

/** `1 line`, `2 lines` */
export function many(value: number, one: string, more = `${one}s`): string {
  return `${exact(value)} ${value === 1 ? one : more}`;
}
