// One drain in the list.
import { useEffect, useRef } from "preact/hooks";
import { setQuery } from "../route";
import { Badge, DrainBadge } from "../ui/badge";
import { count, duration } from "../ui/figures";
import { Since, useNow } from "../ui/time";
import { Actions } from "./actions";
import { Opened } from "./opened";
import { advice, causeText, droppedText, lagText, lastStatus, nextTry, type Shown } from "./words";

interface Given {
  channel: string;
  shown: Shown;
  opened: boolean;
  may: boolean;
  changed: () => void;
  removed: (told: string) => void;
  giveUrl: () => void; // to a reserved one
}

function Facts({ shown: { health } }: { shown: Shown }) {
  const now = useNow();
  if (!health) return null;
  const next = nextTry(health, now);
  const answers = health.answer_seconds;
  const dropped = droppedText(health.dropped);
  const facts: [name: string, value: string, tone?: string][] = [
    ["Last status", lastStatus(health), health.state === "failing" ? "bad" : ""],
    ["Next try", next || "–"],
    ["Lag", lagText(health), health.lag_seconds >= 30 ? "warn" : ""],
    ["Delivered", count(health.delivered)],
    ["Filtered", health.filtered > 0 ? count(health.filtered) : "none"],
    ["Dropped", dropped, dropped === "none" ? "" : "bad"],
    ["Answers p50, p99", answers.p50 === undefined ? "–" : `${duration(answers.p50)}, ${duration(answers.p99)}`],
  ];
  return (
    <dl class="drains-facts">
      {facts.map(([name, value, tone]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={tone}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function One({ channel, shown, opened, may, changed, removed, giveUrl }: Given) {
  const { drain, health } = shown;
  const state = health?.state ?? drain.state;
  const article = useRef<HTMLElement>(null);
  const name = drain.url ?? drain.token;
  const clicked = useRef(false);
  useEffect(() => {
    if (opened && !clicked.current) article.current?.scrollIntoView({ block: "start" }); // it came with the address
    clicked.current = false;
  }, [opened]);
  const trouble = health && (health.state === "failing" || health.state === "paused");
  return (
    <article ref={article} class="drains-one sheet" aria-label={`Drain ${drain.id}: ${name}`}>
      <header>
        {state ? <DrainBadge state={state} /> : <Badge tone="quiet">{drain.url ? "not running" : "reserved"}</Badge>}
        <h3 class="drains-url">{name}</h3>
        <span class="faint">drain {drain.id}</span>
        <span class="fill" />
        {drain.state && (
          <span class="faint drains-since">
            since <Since time={health?.since ?? drain.since} />
          </span>
        )}
      </header>
      {trouble && (
        <p class="drains-cause">
          {health.cause && <b class={health.state === "failing" ? "bad" : "warn"}>{causeText(health.cause)}</b>}{" "}
          <span>{advice(health.state, health.cause)}</span>
        </p>
      )}
      {!drain.url && (
        <p class="drains-cause">A place and a token are reserved; it has no URL yet, and nothing is kept for it.</p>
      )}
      <Facts shown={shown} />
      <div class="drains-bottom">
        {may && !drain.url && (
          <button type="button" onClick={giveUrl} aria-label={`Give it a URL, drain ${drain.id}`}>
            Give it a URL
          </button>
        )}
        {may && <Actions channel={channel} drain={drain} health={health} changed={changed} removed={removed} />}
        {drain.state && (
          <button
            type="button"
            class="drains-open"
            aria-expanded={opened}
            aria-label={`${opened ? "Hide details" : "Details"} of drain ${drain.id}`}
            onClick={() => {
              clicked.current = true;
              setQuery({ drain: opened ? "" : String(drain.id), range: "" }, true);
            }}
          >
            {opened ? "Hide details" : "Details"}
          </button>
        )}
      </div>
      {opened && health && <Opened channel={channel} drain={drain} health={health} />}
    </article>
  );
}
