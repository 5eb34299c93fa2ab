// A channel's drains: how each of them is, and what one may do with them.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drain } from "../api/types";
import { useRoute } from "../route";
import { mayManage, useWho } from "../session/session";
import { Command } from "../ui/command";
import { Empty, Failed, Loading, Stale } from "../ui/states";
import { useHold } from "../ui/use_hold";
import { AddForm } from "./add";
import "./drains.css";
import "./form.css";
import { One } from "./one";
import { shownAtOnce, useDrains } from "./use_drains";
import { summary, type Shown } from "./words";

const quoted = (text: string) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function None({ channel, may }: { channel: string; may: boolean }) {
  return (
    <Empty title="Nothing is sent from here yet">
      <p>
        A drain sends every record of this channel, or those that a filter wants, to a URL: a log service, a collector, a program of your own. It has
        its own place in the log, so that one that is slow or down holds up nothing else, and what it could not send waits and comes later.
      </p>
      <p>{may ? "Fill in the form, or:" : "Whoever administers this router can make one:"}</p>
      <Command text={`tailrace drains add -a ${quoted(channel)} https://user:password@logs.example.com/in`} />
    </Empty>
  );
}

/** Worst first, but nothing moves under who is about to use it. */
function useHeldOrder() {
  const hold = useHold();
  const order = useRef<number[]>([]);
  const inOrder = (all: Shown[]): Shown[] => {
    if (hold.held()) {
      const place = new Map(order.current.map((id, i) => [id, i]));
      all = [...all].sort((a, b) => (place.get(a.drain.id) ?? place.size) - (place.get(b.drain.id) ?? place.size));
    }
    order.current = all.map(({ drain }) => drain.id);
    return all;
  };
  return { inOrder, ref: hold.element, onPointerMove: hold.moves, onPointerLeave: hold.leaves };
}

export function Drains({ channel }: { channel: string }) {
  const may = mayManage(useWho());
  const { query } = useRoute();
  const opened = query.get("drain") ?? "";
  const [limit, setLimit] = useState(shownAtOnce);
  const [adding, setAdding] = useState<Drain | "new" | null>(null);
  const [said, setSaid] = useState("");
  const told = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (said) told.current?.scrollIntoView({ block: "nearest" });
  }, [said]);
  const { data, error, at, again } = useDrains(channel, limit, opened);
  const { inOrder, ...held } = useHeldOrder();
  if (!data) return error ? <Failed error={error} again={again} /> : <Loading what="the drains" />;

  const isOpened = ({ drain }: (typeof data)[number]) => String(drain.id) === opened || drain.token === opened;
  const shown = inOrder(data).filter((one, i) => i < limit || isOpened(one));
  const form = adding ?? (may && data.length === 0 ? "new" : null);
  const tell = (text: string) => {
    setSaid(text);
    setAdding(null);
    again();
  };
  return (
    <div class="drains">
      <Stale error={error} at={at} />
      <div class="drains-head">
        {data.length > 0 && <h2>{summary(data)}</h2>}
        <span class="fill" />
        {may && data.length > 0 && !adding && (
          <button type="button" class="primary" onClick={() => (setAdding("new"), setSaid(""))}>
            Add a drain
          </button>
        )}
      </div>
      <p ref={told} role="status" class={said ? "drains-told" : "visually-hidden"}>
        {said}
      </p>
      {data.length === 0 && <None channel={channel} may={may} />}
      {form && (
        <AddForm
          key={form === "new" ? "new" : form.id}
          channel={channel}
          reserved={form === "new" ? undefined : form}
          done={tell}
          close={adding ? () => setAdding(null) : undefined}
        />
      )}
      <div class="drains-list" {...held}>
        {shown.map((one) => (
          <One
            key={one.drain.id}
            channel={channel}
            shown={one}
            opened={isOpened(one)}
            may={may}
            changed={again}
            removed={tell}
            giveUrl={() => setAdding(one.drain)}
          />
        ))}
      </div>
      {data.length > limit && (
        <button type="button" class="drains-more" onClick={() => setLimit(limit + shownAtOnce)}>
          Show {Math.min(shownAtOnce, data.length - limit)} more of {data.length}
        </button>
      )}
    </div>
  );
}
