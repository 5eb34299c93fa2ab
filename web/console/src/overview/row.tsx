// One channel of the overview.
import { Fragment } from "preact";
import type { OverviewRow, StateCounts } from "../api/types";
import { linkTo } from "../route";
import { count, duration, exact, many, share } from "../ui/figures";
import { moment } from "../ui/time";
import { lost, told, type Part, type Told } from "./troubles";
import type { Placed } from "./view";

const shapes = { good: "●", quiet: "○", warn: "▲", bad: "■" };

function Moment({ time }: { time: string }) {
  return (
    <time dateTime={time} title={new Date(time).toISOString()}>
      {moment(time)}
    </time>
  );
}

function Sentence({ sentence, id }: { sentence: Told; id: string }) {
  const piece = (part: Part, i: number) => {
    if (typeof part === "string") return part;
    if ("whole" in part)
      return (
        <span key={i} class="over-whole">
          {part.whole}
        </span>
      );
    if ("time" in part) return <Moment key={i} time={part.time} />;
    return (
      <a key={i} href={sentence.href} aria-describedby={id}>
        {part.link}
      </a>
    );
  };
  return (
    <li class={sentence.tone}>
      <span class="over-shape" aria-hidden="true">{shapes[sentence.tone]}</span>
      <span id={id}>{sentence.parts.map(piece)}</span>
    </li>
  );
}

const states = ["failing", "paused", "pending", "ok"] as const;
const tones = { failing: "bad", paused: "warn", pending: "quiet", ok: "good" } as const;

/** `■ 1 failing, 3 ok`; the worst first. */
export function DrainCounts({ drains }: { drains: StateCounts }) {
  const some = states.filter((state) => drains[state] > 0);
  if (some.length === 0) return <span class="faint">none</span>;
  return (
    <>
      {some.map((state, i) => (
        <Fragment key={state}>
          <span class={`over-state ${tones[state]}`}>
            <span aria-hidden="true">{shapes[tones[state]]} </span>
            {`${exact(drains[state])} ${state}`}
            {i + 1 < some.length && ","}
          </span>{" "}
        </Fragment>
      ))}
    </>
  );
}

interface FigureProps {
  id: string;
  head: string;
  children: string;
  tone?: "bad" | "warn" | "";
  title?: string;
}

function Figure({ id, head, children, tone, title }: FigureProps) {
  return (
    <div role="cell" class={`number over-${id} ${children === "–" ? "none" : (tone ?? "")}`} title={title}>
      <span class="over-label">{head} </span>
      {children}
    </div>
  );
}

function Cells({ row, now, index }: { row: OverviewRow; now: number; index: number }) {
  const has = (trouble: string) => row.troubles.some((one) => one === trouble);
  const name = row.name || row.channel;
  const gone = lost(row.dropped);
  return (
    <>
      <div role="rowheader" class="over-name">
        <a href={linkTo({ page: "channel", channel: row.channel, tab: "logs" })} title={name}>
          <bdi>{name}</bdi>
        </a>
        {name !== row.channel && (
          <small>
            {" "}
            <bdi>{row.channel}</bdi>
          </small>
        )}
      </div>
      <div role="cell" class="over-trouble">
        {row.troubles.length > 0 && (
          <ul>
            {told(row, now).map((sentence) => (
              <Sentence key={sentence.trouble} sentence={sentence} id={`over-${index}-${sentence.trouble}`} />
            ))}
          </ul>
        )}
      </div>
      <Figure id="records" head="records/s">{count(row.records_per_second)}</Figure>
      <Figure id="requests" head="requests/s">{row.requests_per_second ? count(row.requests_per_second) : "–"}</Figure>
      <Figure id="p50" head="p50">{duration(row.p50)}</Figure>
      <Figure id="p95" head="p95" tone={has("slow") ? "warn" : ""}>{duration(row.p95)}</Figure>
      <Figure id="errors" head="errors" tone={has("errors") ? "bad" : ""}>{share(row.error_share)}</Figure>
      <div role="cell" class="over-drains">
        <span class="over-label">drains </span>
        <DrainCounts drains={row.drains} />
      </div>
      <Figure id="lag" head="lag" tone={has("lagging") ? "warn" : ""} title={`${many(row.lag_records, "record")} waiting`}>
        {row.lag_records > 0 ? duration(row.lag_seconds) : "–"}
      </Figure>
      <Figure id="lost" head="lost" tone={has("losing") ? "bad" : ""} title={gone > 0 ? exact(gone) : undefined}>
        {gone > 0 ? count(gone) : "–"}
      </Figure>
    </>
  );
}

/** `placed`: undefined while the row was not answered yet. */
export function Row({ index, top, placed, now }: { index: number; top: number; placed?: Placed; now: number }) {
  const worst = placed && told(placed.row, now)[0];
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      class={`over-row${worst ? ` troubled ${worst.tone}` : ""}${placed?.old ? " old" : ""}`}
      style={{ top: `${top}px` }}
      title={placed?.old ? "Not in the last answer: figures of an earlier one" : undefined}
    >
      {placed ? (
        <Cells row={placed.row} now={now} index={index} />
      ) : (
        <div role="cell" class="over-name faint">
          …
        </div>
      )}
    </div>
  );
}
