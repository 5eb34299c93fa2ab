// How lines look, kept in this browser; the URL may say otherwise.
import { useState } from "preact/hooks";
import { routerNow } from "../api/clock";
import { duration } from "../ui/figures";
import { clock } from "../ui/time";
import { setQuery, useRoute } from "../route";

export type TimeForm = "local" | "utc" | "relative";
export interface Settings {
  wrap: boolean;
  time: TimeForm;
  raw: boolean;
}

const key = "tailrace.tail";
const usual: Settings = { wrap: true, time: "local", raw: false };
const isTime = (text: unknown): text is TimeForm => text === "local" || text === "utc" || text === "relative";

function kept(): Settings {
  try {
    const { wrap, time, raw } = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Settings>;
    return { wrap: wrap !== false, time: isTime(time) ? time : usual.time, raw: raw === true };
  } catch {
    return usual;
  }
}

/** A change goes to both, so that a copied URL shows the same. */
export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const { query } = useRoute();
  const [own, setOwn] = useState(kept);
  const wrap = query.get("wrap");
  const time = query.get("time");
  const now: Settings = { ...own, wrap: wrap === null ? own.wrap : wrap !== "0", time: isTime(time) ? time : own.time };
  const change = (what: Partial<Settings>) => {
    const next = { ...now, ...what };
    setOwn(next);
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // Without storage it holds until the page goes.
    }
    setQuery({ wrap: next.wrap ? "1" : "0", time: next.time });
  };
  return [now, change];
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const three = (n: number) => String(n).padStart(3, "0");

/** `14:03:05.123`, of another day `Nov 20 14:03:05`; what is no time stands as it is. */
export function timeText(time: string, form: TimeForm, now = routerNow()): string {
  const at = new Date(time);
  const value = at.getTime();
  if (Number.isNaN(value)) return time.slice(0, 32) || "–";
  if (form === "relative") return value > now ? "now" : `${duration(Math.floor((now - value) / 1000))} ago`;
  if (form === "utc") return at.toISOString().slice(Math.abs(now - value) < 86_400_000 ? 11 : 5).replace("T", " ");
  const today = Math.abs(now - value) < 43_200_000 || at.toDateString() === new Date(now).toDateString();
  return today ? `${clock(at)}.${three(at.getMilliseconds())}` : `${months[at.getMonth()]} ${at.getDate()} ${clock(at)}`;
}
