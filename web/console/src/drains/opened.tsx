// One drain in full: over time, its account, what it lost, what was refused.
import { at, get } from "../api/client";
import { usePoll } from "../api/poll";
import type { DeadLetter, Drain, DrainHealth, LostRange } from "../api/types";
import { bytes, exact, many } from "../ui/figures";
import { clock, moment } from "../ui/time";
import "./opened.css";
import { OverTime } from "./over_time";
import { visible } from "./visible";
import { outcomeText, reasonOf } from "./words";

function Moment({ time }: { time: string }) {
  const date = new Date(time);
  return (
    <time dateTime={time} title={Number.isNaN(date.getTime()) ? time : date.toISOString()}>
      {moment(date).replace(/\d\d:\d\d$/, "")}
      {clock(date)}
    </time>
  );
}

function Account({ drain, health }: { drain: Drain; health: DrainHealth }) {
  const dropped = Object.values(health.dropped).reduce((sum, n) => sum + n, 0);
  const options = Object.entries(drain.options ?? {});
  return (
    <section class="drains-part">
      <h4>Account</h4>
      <p>
        {exact(health.accepted)} accepted = {exact(health.delivered)} delivered + {exact(health.filtered)} filtered + {exact(dropped)} dropped +{" "}
        {exact(health.lag_records)} waiting
      </p>
      <dl class="drains-options">
        <div>
          <dt>Token</dt>
          <dd>{drain.token}</dd>
        </div>
        {options.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Losses({ health }: { health: DrainHealth }) {
  const reasons = Object.entries(health.dropped).filter(([, n]) => n > 0);
  if (reasons.length === 0 && health.lost.length === 0) return null;
  return (
    <section class="drains-part">
      <h4>Lost</h4>
      <ul class="drains-reasons">
        {reasons.map(([reason, n]) => (
          <li key={reason}>
            <b>
              {exact(n)} {reason}
            </b>{" "}
            {reasonOf(reason)?.means} <span class="faint">{reasonOf(reason)?.cure}</span>
          </li>
        ))}
      </ul>
      {health.lost.length > 0 && (
        <div class="drains-scroll" tabIndex={0} role="region" aria-label="Ranges that were lost">
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">Records</th>
                <th scope="col">Reason</th>
                <th scope="col">Since</th>
                <th scope="col">Until</th>
                <th scope="col" class="number">From number</th>
              </tr>
            </thead>
            <tbody>
              {[...health.lost].reverse().map((range: LostRange, i) => (
                <tr key={i}>
                  <td class="number">{exact(range.records)}</td>
                  <td>{range.reason}</td>
                  <td><Moment time={range.since} /></td>
                  <td><Moment time={range.until} /></td>
                  <td class="number">{range.first}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function DeadLetters({ channel, drain, kept }: { channel: string; drain: number; kept: number }) {
  const { data, error } = usePoll(
    (signal) => get<{ dead_letters: DeadLetter[] }>(at`/v3/channels/${channel}/drains/${drain}/dead_letters`, signal),
    10_000,
    `${channel} ${drain} ${kept}`,
  );
  const letters = data ? [...data.dead_letters].reverse() : [];
  return (
    <section class="drains-part">
      <h4>Dead letters</h4>
      <p class="faint">The last {many(kept, "record")} that the far end refused for good, each alone, since the router started. They were dropped.</p>
      {error && <p class="bad">{error.message}</p>}
      <ol class="drains-letters">
        {letters.map((letter) => (
          <li key={letter.number}>
            <p>
              <Moment time={letter.refused_at} /> <b class="bad">{outcomeText(letter.cause)}</b>{" "}
              <span class="faint">
                number {letter.number}, {bytes(letter.bytes)}
                {letter.bytes > letter.record.length && letter.bytes > 2048 ? ", the beginning" : ""}
              </span>
            </p>
            <pre tabIndex={0}>{visible(letter.record)}</pre>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Opened({ channel, drain, health }: { channel: string; drain: Drain; health: DrainHealth }) {
  return (
    <div class="drains-opened">
      <OverTime channel={channel} drain={drain.id} />
      <Losses health={health} />
      {health.dead_letters > 0 && <DeadLetters channel={channel} drain={drain.id} kept={health.dead_letters} />}
      <Account drain={drain} health={health} />
    </div>
  );
}
