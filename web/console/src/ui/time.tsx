// Moments, in the browser's own zone.
import { useEffect, useState } from "preact/hooks";
import { routerNow } from "../api/clock";
import { lasting } from "./figures";

const two = (n: number) => String(n).padStart(2, "0");

/** `14:03:05` */
export function clock(time: string | number | Date): string {
  const at = new Date(time);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `14:03`, of another day `Nov 20 14:03` */
export function moment(time: string | number | Date, now = new Date(routerNow())): string {
  const at = new Date(time);
  const hour = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return hour;
  return `${at.toLocaleDateString("en-US", { month: "short", day: "numeric" })} ${hour}`;
}

/** Milliseconds since the epoch by the router's clock, anew each second while the page shows. */
export function useNow(every = 1000): number {
  const [now, setNow] = useState(routerNow);
  useEffect(() => {
    const timer = window.setInterval(() => document.hidden || setNow(routerNow()), every);
    return () => window.clearInterval(timer);
  }, [every]);
  return now;
}

/** `14:03 (12 min)`: since when, and how long that is; the whole moment as its title. */
export function Since({ time }: { time: string | null | undefined }) {
  const now = useNow();
  if (!time) return <span>–</span>;
  const at = new Date(time);
  return (
    <time dateTime={time} title={at.toISOString()}>
      {moment(at)} ({lasting((now - at.getTime()) / 1000)})
    </time>
  );
}
