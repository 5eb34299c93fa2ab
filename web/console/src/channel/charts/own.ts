// Which of the users' own series are drawn, and how the URL says so.
import type { MetricSeries } from "../../api/types";
import type { OwnName } from "./specs";

export const mostOwn = 6; // charts

const kinds: readonly string[] = ["measure", "count", "sample"];
const keyOf = ({ kind, name, unit }: OwnName) => [kind, unit, name].map(encodeURIComponent).join(":");

export function ownText(chosen: OwnName[]): string {
  return chosen.map(keyOf).join(",");
}

/** What is no series in it is left out; nothing of it is trusted but as a name. */
export function ownOf(text: string | null): OwnName[] {
  const all: OwnName[] = [];
  for (const one of (text ?? "").split(",")) {
    try {
      const [kind = "", unit = "", name = ""] = one.split(":").map(decodeURIComponent);
      if (kinds.includes(kind) && name !== "") all.push({ kind: kind as OwnName["kind"], name, unit });
    } catch {
      // Not ours.
    }
  }
  return all.slice(0, mostOwn);
}

export const sameOwn = (a: OwnName, b: OwnName) => keyOf(a) === keyOf(b);

/** Every one that there is, by name. */
export function ownNames(catalogue: MetricSeries[]): OwnName[] {
  const all = new Map<string, OwnName>();
  for (const { kind = "", name, unit } of catalogue)
    if (kinds.includes(kind)) all.set(keyOf({ kind: kind as OwnName["kind"], name, unit }), { kind: kind as OwnName["kind"], name, unit });
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
