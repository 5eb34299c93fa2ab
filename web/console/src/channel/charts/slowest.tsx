// The newest request of each of the slowest buckets, with a way to its lines.
import { ApiError, at } from "../../api/client";
import { usePoll } from "../../api/poll";
import { linkTo } from "../../route";
import { duration } from "../../ui/figures";
import { Since } from "../../ui/time";
import { exemplarsOf, quoted } from "./exemplars";
import { iso } from "./stretch";

const most = 5;

async function ask(channel: string, signal: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(15_000);
  const ended = new AbortController();
  for (const one of [late, signal]) one.addEventListener("abort", () => ended.abort(), { once: true });
  const response = await fetch(at`/v3/channels/${channel}/prometheus`, {
    headers: { Accept: "application/openmetrics-text" }, signal: ended.signal, credentials: "same-origin", cache: "no-store",
  });
  if (!response.ok) throw new ApiError(response.status, `The router answered ${response.status}.`);
  return response.text();
}

export function Slowest({ channel }: { channel: string }) {
  const { data } = usePoll((signal) => ask(channel, signal).then(exemplarsOf), 30_000, channel);
  if (!data || data.length === 0) return null;
  return (
    <section class="metrics-chart sheet" data-chart="slowest">
      <header>
        <h2>Slow requests seen</h2>
        <span class="faint">the newest of each bucket of response times</span>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">service</th>
            <th scope="col">request</th>
            <th scope="col">when</th>
          </tr>
        </thead>
        <tbody>
          {data.slice(0, most).map((one) => (
            <tr key={one.id}>
              <td class="number">{duration(one.seconds)}</td>
              <td class="metrics-id">
                <a href={linkTo({ page: "channel", channel, tab: "logs" }, { grep: quoted(one.id) })} title="Its lines">
                  {one.id}
                </a>
              </td>
              <td>
                <Since time={iso(one.time)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
