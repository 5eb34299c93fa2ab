// All channels in one line, and how old that is.
import { count, exact, lasting } from "../ui/figures";
import { clock, useNow } from "../ui/time";
import { DrainCounts } from "./row";
import { useTroubled } from "./use_rows";
import type { Shown } from "./view";

const late = 7000; // milliseconds; three polls

/** `as of 10:00:02`, and whether that is too long ago. `held`: rows keep their places for now. */
function Asked({ at, held }: { at: number; held: boolean }) {
  const age = useNow() - at;
  const iso = new Date(at).toISOString();
  return (
    <p class={age > late ? "over-asked warn" : "over-asked"}>
      {held && <span title="Rows keep their places while the pointer moves over them or the focus is among them">order held · </span>}
      {age > late && <strong>▲ stale: </strong>}
      as of{" "}
      <time dateTime={iso} title={iso}>
        {clock(at)}
      </time>
      {age > late && `, ${lasting(age / 1000)} ago`}
    </p>
  );
}

export function Totals({ shown, at }: { shown: Shown; at: number }) {
  const { answer } = shown;
  const trouble = useTroubled(shown);
  return (
    <div class="over-totals">
      <dl>
        <div>
          <dt>Channels</dt>
          <dd>{exact(answer.total)}</dd>
        </div>
        <div class={trouble && trouble.channels > 0 ? "bad" : undefined}>
          <dt>With trouble</dt>
          <dd>
            {trouble ? `${exact(trouble.channels)}${trouble.more ? " or more" : ""}` : "–"}
            {trouble?.which && <small> {trouble.which}</small>}
          </dd>
        </div>
        <div>
          <dt>Records/s</dt>
          <dd>{count(answer.records_per_second)}</dd>
        </div>
        <div>
          <dt>Drains</dt>
          <dd class="over-total-drains">
            <DrainCounts drains={answer.drains} />
          </dd>
        </div>
      </dl>
      <Asked at={at} held={shown.held} />
    </div>
  );
}
