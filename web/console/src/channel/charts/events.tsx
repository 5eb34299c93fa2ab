// What the platform did, with its words.
import type { PlatformEvent } from "../../api/types";
import { many } from "../../ui/figures";
import { moment } from "../../ui/time";
import { eventTime } from "./codes";
import { useCrosshair, type Crosshair } from "./crosshair";
import { indexOf, type Stretch } from "./stretch";

const most = 40; // lines

export function Events({ events, stretch, crosshair }: { events: PlatformEvent[]; stretch: Stretch; crosshair: Crosshair }) {
  const looked = indexOf(stretch, useCrosshair(crosshair));
  if (events.length === 0) return <p class="hint">No deploy, restart, change of scale or config in this time.</p>;
  const newest = [...events].sort((a, b) => (a.time < b.time ? 1 : -1));
  const now = (event: PlatformEvent) => looked !== null && indexOf(stretch, eventTime(event)) === looked;
  return (
    <div class="metrics-events" tabIndex={0} role="group" aria-label="Events of the platform">
      <ol>
        {newest.slice(0, most).map((event, index) => (
          <li key={`${event.time}${event.procid}${index}`} class={now(event) ? "now" : undefined} data-event={event.event}>
            <time dateTime={event.time} title={event.time}>
              {moment(event.time)}
            </time>
            <b>{event.event}</b>
            <span>
              {event.procid !== "api" && `${event.procid}: `}
              {event.text}
            </span>
          </li>
        ))}
      </ol>
      {newest.length > most && <p class="hint">{many(newest.length - most, "older event")} in this range.</p>}
    </div>
  );
}
