// What one may do with a drain, and what came of it.
import { useState } from "preact/hooks";
import { at, post, remove } from "../api/client";
import type { Drain, DrainHealth, DrainTest } from "../api/types";
import { Dialog } from "../ui/dialog";
import { many } from "../ui/figures";
import { useDoing } from "./do";
import { tryFarEnd } from "./far_end";
import { ReplayDialog } from "./replay";
import { TestSteps } from "./steps";

interface Given {
  channel: string;
  drain: Drain;
  health?: DrainHealth;
  changed: () => void;
  removed: (told: string) => void;
}

function RemoveDialog({ name, url, health, close, confirm }: { name: string; url: string; health?: DrainHealth; close: () => void; confirm: () => void }) {
  const waiting = health?.lag_records ?? 0;
  return (
    <Dialog title={`Remove ${name}?`} close={close}>
      <p class="drains-url">{url}</p>
      <p>
        {waiting > 0 ? (
          <>
            <b>{many(waiting, "record")} that {waiting === 1 ? "waits" : "wait"} for it will not be sent.</b> They stay in the channel for its readers
            and other drains.
          </>
        ) : (
          "Nothing waits for it now; what comes from now on is not sent there."
        )}{" "}
        Its account, its losses and its dead letters go with it. This cannot be undone.
      </p>
      <div class="drains-buttons">
        <button type="button" class="danger" onClick={confirm}>
          Remove {name}
        </button>
        <button type="button" onClick={close}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}

export function Actions({ channel, drain, health, changed, removed }: Given) {
  const { doing, said, run } = useDoing();
  const [test, setTest] = useState<DrainTest | null>(null);
  const [asking, setAsking] = useState<"" | "replay" | "remove">("");
  const path = at`/v3/channels/${channel}/drains/${drain.id}`;
  const name = `drain ${drain.id}`;
  const paused = !!drain.paused || health?.state === "paused";

  const act = async (label: string, does: () => Promise<string>) => {
    setTest(null);
    if (await run(label, does)) changed();
  };
  const tryIt = () =>
    act("Test", async () => {
      const report = await tryFarEnd(path);
      setTest(report);
      return report.ok ? "The test went well: the far end took a marked record." : "The test failed:";
    });
  const pause = () => act("Pause", async () => (await post(`${path}/pause`), "Paused. Records wait, up to the channel's bounds."));
  const goOn = (label: string) =>
    act(label, async () => (await post(`${path}/resume`), label === "Resume" ? "Resumed: it sends what waits, at once." : "It tries now."));
  const replay = (since: string) => {
    setAsking("");
    void act("Replay", async () => {
      const { replayed } = await post<{ replayed: number }>(`${path}/replay`, { since });
      return replayed === 0 ? "Nothing of that time is kept that it has sent already." : `${many(replayed, "record")} ${replayed === 1 ? "is" : "are"} sent again.`;
    });
  };
  const removeIt = () => {
    setAsking("");
    void run("Remove", async () => {
      await remove(path);
      removed(`Drain ${drain.id} is removed${health?.lag_records ? `; ${many(health.lag_records, "record")} that waited will not be sent` : ""}.`);
      return "";
    });
  };
  const button = ({ label, does, more = "" }: { label: string; does: () => void; more?: string }) => (
    <button type="button" aria-label={`${label} ${name}`} aria-disabled={doing !== ""} onClick={() => doing === "" && does()} class={more}>
      {doing === label ? `${label} …` : label}
    </button>
  );
  return (
    <>
      <div class="drains-buttons">
        {drain.url && button({ label: "Test", does: () => void tryIt() })}
        {drain.state && health?.state === "failing" && button({ label: "Try now", does: () => void goOn("Try now") })}
        {drain.state && paused && button({ label: "Resume", does: () => void goOn("Resume") })}
        {drain.state && !paused && button({ label: "Pause", does: () => void pause() })}
        {drain.state && button({ label: "Replay", does: () => setAsking("replay") })}
        {button({ label: "Remove", does: () => setAsking("remove"), more: "danger" })}
      </div>
      <div role="status" class="drains-said">
        {doing === "Test" && <p>Testing: this takes up to 25 s …</p>}
        {said && <p class={said.good && (!test || test.ok) ? "good" : "bad"}>{said.text}</p>}
        {test && <TestSteps test={test} />}
      </div>
      {asking === "replay" && <ReplayDialog name={name} paused={paused} close={() => setAsking("")} replay={replay} />}
      {asking === "remove" && (
        <RemoveDialog name={name} url={drain.url ?? drain.token} health={health} close={() => setAsking("")} confirm={removeIt} />
      )}
    </>
  );
}
