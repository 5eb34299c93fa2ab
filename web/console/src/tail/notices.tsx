// What is said about the tail as a whole: why there is nothing, why it ended, where it reads.
import { setQuery } from "../route";
import { Command } from "../ui/command";
import { exact } from "../ui/figures";
import { Empty, Forbidden } from "../ui/states";
import type { Shown } from "./controller";
import { sinceText } from "./chips";
import { isNarrow, type View } from "./view";

const nothing = { ps: "", source: "", severity: "", filter: "", grep: "", exclude: "", since: "", after: "" };

function ShowAll() {
  return (
    <button type="button" onClick={() => setQuery(nothing, true)}>
      Show all lines
    </button>
  );
}

/** Above the lines. */
export function Banner({ shown, view, past }: { shown: Shown; view: View; past: boolean }) {
  const { stream } = shown;
  if (stream.is === "ended" && stream.why === "no_tail")
    return <p class="stale">This channel may not be followed (its flag no_tail). What shows is its history.</p>;
  if (stream.is === "ended" && stream.why === "gone") return <p class="stale">This channel is gone. What shows is what had come.</p>;
  if (stream.is === "reconnecting" && stream.why) return <p class="stale">{stream.why} Trying again; nothing is lost that the router still has then.</p>;
  if (!past || !shown.reading) return null;
  const from = view.after ? `behind number ${view.after}` : `from ${sinceText(view.since)} on`;
  return (
    <p class="tail-banner">
      <span>
        Reading {from}, oldest first.{stream.is === "stopped" && ` ${exact(shown.counts.shown + shown.counts.hidden)} lines are here, more follow.`}
      </span>
      {stream.is === "stopped" && shown.lastSeq && (
        <button type="button" onClick={() => setQuery({ after: shown.lastSeq, since: "" }, true)}>
          Read on
        </button>
      )}
      <button type="button" onClick={() => setQuery({ after: "", since: "" }, true)}>
        Newest lines
      </button>
    </p>
  );
}

/** In the place of lines, if there are none. */
export function Nothing({ shown, view }: { shown: Shown; view: View }) {
  const { stream, counts } = shown;
  if (stream.is === "refused")
    return (
      <Empty title="The router does not take this filter">
        <p>{stream.why}</p>
        <ShowAll />
      </Empty>
    );
  if (stream.is === "ended" && stream.why === "forbidden") return <Forbidden />;
  if (counts.shown > 0 || stream.is === "connecting") return null;
  if (counts.hidden > 0)
    return (
      <Empty title="No line here matches">
        <p>{exact(counts.hidden)} are hidden. Enter in the box asks the router, which looks through all that it keeps.</p>
      </Empty>
    );
  if (counts.received > 0 || stream.is !== "live") return null;
  if (isNarrow(view) || view.since || view.after)
    return (
      <Empty title="No lines match yet">
        <p>Nothing that is kept does; what comes shows at once.</p>
        <ShowAll />
      </Empty>
    );
  const to = shown.origin || "http://localhost:8601";
  return (
    <Empty title="No lines yet">
      <p>What is sent shows here within a second. With one of the channel's tokens:</p>
      <Command text={`echo hello | tailrace send --url ${to} --bearer-token "$TOKEN"`} />
      <p class="faint">or, with nothing but curl:</p>
      <Command text={`curl -u "token:$TOKEN" -H 'Content-Type: text/plain' --data-binary hello ${to}/logs`} />
    </Empty>
  );
}
