// The slowest dynos of the range, each with a way to its lines.
import { linkTo } from "../../route";
import { count, duration, exact, many, share } from "../../ui/figures";
import { moment } from "../../ui/time";
import type { Catalogue } from "./asked";
import { byDyno, filterValue, type DynoRow } from "./dynos";
import { iso } from "./stretch";

const most = 50; // rows

export function ByDyno({ channel, catalogue, wanted }: { channel: string; catalogue: Catalogue; wanted: (dyno: string) => boolean }) {
  const { by, rows } = byDyno(catalogue.series, wanted);
  const greatest = Math.max(...rows.map((row) => row.p95), 0);
  return (
    <section class="metrics-chart sheet" data-chart="by-dyno">
      <header>
        <h2>{by === "host" ? "By host" : "By dyno"}</h2>
        {rows.length > 0 && (
          <span class="faint">
            response time since <time dateTime={iso(catalogue.from)} title={iso(catalogue.from)}>{moment(catalogue.from * 1000)}</time>, the slowest first
          </span>
        )}
      </header>
      {rows.length === 0 ? (
        <p class="metrics-missing">
          No request was counted by dyno in this time. A router that runs with <code>TAILRACE_ROUTER_BY=dyno</code> says here which one is slow.
        </p>
      ) : (
        <Rows {...{ channel, by, greatest }} rows={rows.slice(0, most)} />
      )}
      {rows.length > most && <p class="hint">{many(rows.length - most, "more is", "more are")} faster than these.</p>}
    </section>
  );
}

function Rows({ channel, by, greatest, rows }: { channel: string; by: string; greatest: number; rows: DynoRow[] }) {
  const lines = (source: string) => linkTo({ page: "channel", channel, tab: "logs" }, { filter: `${by}=${filterValue(source)}` });
  return (
    <div class="metrics-figures" tabIndex={0} role="group" aria-label={`Response time by ${by}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{by === "host" ? "Host" : "Dyno"}</th>
            <th scope="col" class="number">p95</th>
            <th scope="col" class="metrics-bar" aria-hidden="true" />
            <th scope="col" class="number">p50</th>
            <th scope="col" class="number">max</th>
            <th scope="col" class="number">requests</th>
            <th scope="col" class="number">5xx</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.source} data-dyno={row.source}>
              <td>
                {row.source === "_overflow" ? (
                  <span title="Those past the channel's budget of series, together">others</span>
                ) : (
                  <a href={lines(row.source)} title={`Lines of ${row.source}`}>
                    {row.source}
                  </a>
                )}
              </td>
              <td class="number" data-series="p95" data-value={row.p95}>
                {duration(row.p95)}
              </td>
              <td class="metrics-bar" aria-hidden="true">
                <span style={{ width: `${greatest > 0 ? (100 * row.p95) / greatest : 0}%` }} />
              </td>
              <td class="number">{duration(row.p50)}</td>
              <td class="number">{duration(row.max)}</td>
              <td class="number" data-series="requests" data-value={row.requests} title={exact(row.requests)}>
                {count(row.requests)}
              </td>
              <td class="number" title={exact(row.failed)}>
                {row.failed > 0 ? share(row.failed / row.requests) : "0"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
