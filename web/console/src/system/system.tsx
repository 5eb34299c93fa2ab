// The router itself: what it uses of what it may, and whether its account adds up.
import { useEffect, useRef } from "preact/hooks";
import { get } from "../api/client";
import { usePoll } from "../api/poll";
import type { System as Answer } from "../api/types";
import { Badge } from "../ui/badge";
import { bytes, count, duration, exact, share } from "../ui/figures";
import { Bar, fillOf, Meter } from "../ui/meter";
import { Failed, Loading, Stale } from "../ui/states";
import { clock, Since } from "../ui/time";
import { rates, scarce } from "./account";
import { Ledger, Reasons } from "./ledger";
import "./system.css";

function State({ system, at }: { system: Answer; at: number }) {
  const { ok, reasons } = system.ready;
  const full = scarce(system);
  return (
    <section class="sheet system-wide system-state" aria-label="State">
      <p>
        {ok ? <Badge tone="good">ready</Badge> : <Badge tone="bad">not ready</Badge>}{" "}
        {system.api_state !== "normal" && <Badge tone="warn">{`API ${system.api_state.replace("_", " ")}`}</Badge>}
        <span>
          version <b>{system.version}</b> <code>{system.commit}</code>
        </span>
        <span>
          up since <Since time={system.started_at} />
        </span>
        <span class="faint">as of {clock(at)}</span>
      </p>
      {(reasons.length > 0 || full.length > 0) && (
        <ul>
          {reasons.map((reason) => (
            <li key={reason} class="bad">
              {reason}
            </li>
          ))}
          {full.map((one) => (
            <li key={one} class="warn">
              {one}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Threads({ threads }: { threads: Answer["threads"] }) {
  return (
    <section class="sheet" aria-labelledby="system-cpu">
      <h2 id="system-cpu">CPU by thread</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Thread</th>
            <th scope="col">
              <span class="visually-hidden">As a bar</span>
            </th>
            <th scope="col" class="number">
              Now
            </th>
            <th scope="col" class="number">
              In all
            </th>
          </tr>
        </thead>
        <tbody>
          {threads.map(({ name, cpu_seconds, cpu_share }, i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              <td class="system-bar">
                <Bar part={cpu_share ?? 0} />
              </td>
              <td class={`number ${fillOf(cpu_share)}`}>
                {share(cpu_share === null ? null : Math.round(cpu_share * 1000) / 1000)}
                {fillOf(cpu_share) && " busy"}
              </td>
              <td class="number">{duration(cpu_seconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Memory({ memory }: { memory: Answer["memory"] }) {
  return (
    <section class="sheet" aria-labelledby="system-memory">
      <h2 id="system-memory">Memory</h2>
      <dl class="system-budgets">
        <dt>resident</dt>
        <dd>
          <Meter used={memory.resident} bound={memory.bound} />
        </dd>
        {memory.parts.map(({ name, used, bound }) => (
          <>
            <dt>{name}</dt>
            <dd>
              <Meter used={used} bound={bound} />
            </dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Disk({ disk }: { disk: Answer["disk"] }) {
  return (
    <section class="sheet" aria-labelledby="system-disk">
      <h2 id="system-disk">Disk</h2>
      {disk ? (
        <dl class="system-budgets">
          <dt>records</dt>
          <dd>
            <Meter used={disk.used} bound={disk.bound} />
          </dd>
          <dt>free</dt>
          <dd>{bytes(disk.free)}</dd>
          <dt>segments</dt>
          <dd>{exact(disk.segments)}</dd>
          <dt>in</dt>
          <dd>
            <code>{disk.directory}</code>
          </dd>
        </dl>
      ) : (
        <p class="faint">
          Everything is in memory and gone at the end of the process. <code>TAILRACE_DATA_DIR</code> keeps it.
        </p>
      )}
    </section>
  );
}

function Connections({ system }: { system: Answer }) {
  return (
    <section class="sheet" aria-labelledby="system-connections">
      <h2 id="system-connections">Connections and tails</h2>
      <dl class="system-budgets">
        <dt>open files</dt>
        <dd>
          <Meter used={system.open_files.used} bound={system.open_files.bound} unit="count" />
        </dd>
        {Object.entries(system.connections).map(([listener, open]) => (
          <>
            <dt>{listener}</dt>
            <dd>{exact(open)} connected</dd>
          </>
        ))}
        <dt>tails</dt>
        <dd>
          {exact(system.tails.open)} open, {exact(system.tails.skipped)} records skipped
        </dd>
      </dl>
    </section>
  );
}

function Ingest({ system, rate }: { system: Answer; rate: Record<string, number> }) {
  return (
    <section class="sheet system-wide" aria-labelledby="system-ingest">
      <h2 id="system-ingest">Ingest by protocol</h2>
      <div class="system-scroll" tabIndex={0} role="group" aria-labelledby="system-ingest">
        <table>
          <thead>
            <tr>
              <th scope="col">Protocol</th>
              <th scope="col" class="number">
                Records/s
              </th>
              <th scope="col" class="number">
                Accepted
              </th>
              <th scope="col" class="number">
                Bytes
              </th>
              <th scope="col">Rejected</th>
            </tr>
          </thead>
          <tbody>
            {system.ingest.map(({ protocol, accepted, bytes: size, rejected }) => (
              <tr key={protocol}>
                <th scope="row">{protocol}</th>
                <td class="number">{count(rate[protocol])}</td>
                <td class="number">{exact(accepted)}</td>
                <td class="number">{bytes(size)}</td>
                <td>
                  <Reasons reasons={rejected} none="nothing" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function System() {
  const { data, error, at, again } = usePoll((signal) => get<Answer>("/v3/system", signal), 2000, "system");
  const before = useRef<{ now?: Answer; last?: Answer }>({});
  if (data && before.current.now !== data) before.current = { now: data, last: before.current.now };
  useEffect(() => {
    document.title = "System · Tailrace";
    return () => void (document.title = "Tailrace");
  }, []);
  if (!data && error) return <Failed error={error} again={again} />;
  if (!data || !at) return <Loading what="the router's state" />;
  return (
    <>
      <h1>System</h1>
      <Stale error={error} at={at} />
      <div class="system">
        <State system={data} at={at} />
        <Ledger ledger={data.ledger} />
        <Threads threads={data.threads} />
        <Memory memory={data.memory} />
        <Connections system={data} />
        <Disk disk={data.disk} />
        <Ingest system={data} rate={rates(before.current.last, data)} />
      </div>
    </>
  );
}
