// The moment that was chosen, and the ways from it.
import { linkTo, setQuery } from "../../route";
import { moment } from "../../ui/time";
import { iso, type Range } from "./stretch";

export function MomentBar({ channel, time, range }: { channel: string; time: number | null; range: Range }) {
  if (time === null) return null;
  const begins = Math.floor(time / range.step) * range.step;
  const text = moment(begins * 1000);
  const lines = (query: Record<string, string>) => linkTo({ page: "channel", channel, tab: "logs" }, { since: iso(begins), ...query });
  return (
    <div class="metrics-moment" role="group" aria-label="Chosen moment">
      <time dateTime={iso(begins)} title={iso(begins)}>
        {text}
      </time>
      <a href={lines({})}>Lines of {text}</a>
      <a href={lines({ source: "heroku", ps: "router" })}>Requests</a>
      <a href={lines({ filter: "status>=500 or at=error" })}>Failed requests</a>
      <button type="button" class="plain" aria-label="Choose no moment" onClick={() => setQuery({ at: "" })}>
        ✕
      </button>
    </div>
  );
}
