// The router itself: what it uses of what it may, and whether its account adds up.
import { Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { get } from "../api/client";
import { usePoll } from "../api/poll";
import type { System as Answer } from "../api/types";
import { bytes, exact } from "../ui/figures";
import { Meter } from "../ui/meter";
import { Failed, Loading, Stale } from "../ui/states";
import { rates } from "./account";
import { Ingest } from "./ingest";
import { Ledger } from "./ledger";
import { State } from "./state";
import "./system.css";
import { Threads } from "./threads";

function Memory({ memory }: { memory: Answer["memory"] }) {
  return (
    <section class="sheet" aria-labelledby="system-memory">
      <h2 id="system-memory">Memory</h2>
      <dl class="system-budgets">
        <dt>resident</dt>
        <dd>
          <Meter used={memory.resident} bound={memory.bound} />
        </dd>
        {memory.parts.map(({ name, used, bound, unit }) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <Meter used={used} bound={bound} unit={unit} />
            </dd>
          </Fragment>
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
          <Meter used={system.open_files.used} bound={system.open_files.bound} unit="" />
        </dd>
        {Object.entries(system.connections).map(([listener, open]) => (
          <Fragment key={listener}>
            <dt>{listener}</dt>
            <dd>{exact(open)} connected</dd>
          </Fragment>
        ))}
        <dt>tails</dt>
        <dd>
          {exact(system.tails.open)} open, {exact(system.tails.skipped)} records skipped
        </dd>
      </dl>
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
  if (!data || !at)
    return (
      <>
        <h1>System</h1>
        {error ? <Failed error={error} again={again} /> : <Loading what="the router's state" />}
      </>
    );
  return (
    <>
      <h1>System</h1>
      <Stale error={error} at={at} />
      <div class="system" role="group" aria-label="State of the router" tabIndex={0}>
        <State system={data} at={at} />
        <Ledger ledger={data.ledger} />
        <Threads threads={data.threads} />
        <Memory memory={data.memory} />
        <Connections system={data} />
        <Disk disk={data.disk} />
        <Ingest ingest={data.ingest} rate={rates(before.current.last, data)} />
      </div>
    </>
  );
}
