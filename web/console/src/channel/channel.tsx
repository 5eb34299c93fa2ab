// One channel: its logs, its metrics, its drains.
import { useEffect } from "preact/hooks";
import { at, get } from "../api/client";
import { usePoll } from "../api/poll";
import { Drains } from "../drains/drains";
import { linkTo, type ChannelTab } from "../route";
import { Tail } from "../tail/tail";
import { Empty, Failed, Loading } from "../ui/states";
import { Metrics } from "./metrics";

interface ChannelAnswer {
  channel: string;
  name?: string;
  flags?: { no_tail?: boolean; no_history?: boolean };
}

const tabs: [ChannelTab, string][] = [
  ["logs", "Logs"],
  ["metrics", "Metrics"],
  ["drains", "Drains"],
];

export function Channel({ channel, tab }: { channel: string; tab: ChannelTab }) {
  const { data, error, again } = usePoll((signal) => get<ChannelAnswer>(at`/v3/channels/${channel}`, signal), 30_000, channel);
  const name = data?.name || channel;
  useEffect(() => {
    if (data) document.title = `${name} · Tailrace`;
    return () => void (document.title = "Tailrace");
  }, [data, name]);
  if (error?.status === 404 && !(data && tab === "logs")) // the tail keeps its lines, and says so itself
    return (
      <Empty title={data ? "This channel is gone" : "There is no such channel"}>
        <p>
          <a href={linkTo({ page: "overview" })}>To the overview</a>
        </p>
      </Empty>
    );
  if (!data) return error ? <Failed error={error} again={again} /> : <Loading what="the channel" />;
  return (
    <div class="channel">
      <header class="channel-head">
        <h1>
          {name}
          {name !== channel && <small> {channel}</small>}
        </h1>
        <nav class="tabs" aria-label="Channel">
          {tabs.map(([id, text]) => (
            <a key={id} href={linkTo({ page: "channel", channel, tab: id })} aria-current={tab === id ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
      </header>
      {tab === "logs" && <Tail channel={channel} />}
      {tab === "metrics" && <Metrics channel={channel} />}
      {tab === "drains" && <Drains channel={channel} />}
    </div>
  );
}
