// A channel's lines as they come (docs/console.md, "Logs").
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { setQuery, useRoute } from "../route";
import { exact, many } from "../ui/figures";
import { focusSearch, useKeys } from "../ui/keys";
import { Chips } from "./chips";
import { bounds, Controller, type Shown } from "./controller";
import { saveText } from "./download";
import { Banner, Nothing } from "./notices";
import { OpenRows } from "./open_rows";
import { watchScrolling } from "./scrolling";
import { Hint, Search, useAsking, useTyped } from "./search";
import { Seen } from "./seen";
import { useSettings } from "./settings";
import "./tail.css";
import { parseTerms } from "./terms";
import { Look, PauseButton, Picks, State } from "./tools";
import { askOf, fromThePast, termsOf, viewOf, withTerm } from "./view";

const before: Shown = {
  stream: { is: "connecting" },
  paused: false,
  reading: false,
  counts: { received: 0, shown: 0, hidden: 0, waiting: 0, older: 0, skipped: 0 },
  lastTime: "",
  lastSeq: "",
  origin: "",
};

function Counted({ shown: { counts } }: { shown: Shown }) {
  const said: [string, number, string][] = [
    ["received", counts.received, "Lines that came to this page"],
    ["shown", counts.shown, "In the list, and wanted by the filter"],
    ["hidden", counts.hidden, "In the list, and not wanted by the filter"],
    ["waiting", counts.waiting, "Came while paused"],
    ["older", counts.older, `Let go at the beginning of the list: it holds ${exact(bounds.lines)}`],
    ["skipped", counts.skipped, "Missing where the list has a marker: gone at the router, or let go here while paused"],
  ];
  return (
    <p class="tail-counts">
      {said.map(([name, count, title]) => (
        <span key={name} title={title}>
          {name}: {exact(count)}{" "}
        </span>
      ))}
    </p>
  );
}

export function Tail({ channel }: { channel: string }) {
  const { query } = useRoute();
  const view = viewOf(query);
  const past = fromThePast(view);
  const [settings, change] = useSettings();
  const [text, type] = useTyped(view);
  const asking = useAsking(channel, view, text, type);
  const [shown, setShown] = useState(before);
  const seen = useMemo(() => new Seen(), [channel]);
  const pane = useRef<HTMLDivElement>(null);
  const items = useRef<HTMLOListElement>(null);
  const running = useRef<Controller | null>(null);
  const ask = JSON.stringify(askOf(channel, view, bounds.lines));
  const options = { look: settings, typed: parseTerms(text), asked: termsOf(view) };
  const latest = useRef({ options, view });
  latest.current = { options, view };

  useEffect(() => {
    setShown(before);
    const controller = new Controller(pane.current!, items.current!, { ...latest.current.options, ask: JSON.parse(ask), past, seen, tell: setShown });
    running.current = controller;
    const open = new OpenRows(
      pane.current!,
      controller,
      () => latest.current.options.look.raw,
      ({ term, ...rest }) => setQuery({ ...rest, ...(term && { filter: withTerm(latest.current.view.filter, term), q: "" }) }, true),
    );
    const unwatch = watchScrolling(controller);
    return () => {
      running.current = null;
      unwatch();
      open.close();
      controller.close();
    };
  }, [ask]);

  const shape = JSON.stringify([text, settings]);
  const first = useRef(shape);
  useLayoutEffect(() => {
    if (first.current === shape) return;
    first.current = shape;
    running.current?.change(latest.current.options);
  }, [shape]);

  useEffect(() => {
    if (settings.time !== "relative") return;
    const timer = window.setInterval(() => document.hidden || running.current?.list.retime(), 1000);
    return () => window.clearInterval(timer);
  }, [settings.time]);

  const toggle = () => (running.current?.paused ? running.current.resume() : running.current?.pause());
  useKeys({
    " ": toggle,
    "/": focusSearch,
    g: () => (running.current?.pause(), running.current?.list.toBegin()),
    G: () => (running.current?.paused ? running.current.list.toEnd() : undefined),
  });

  return (
    <section class="tail" aria-label="Logs">
      <div class="tail-bar">
        <State shown={shown} form={settings.time} />
        <PauseButton shown={shown} act={toggle} />
        <Search text={text} type={type} ask={asking.ask} />
        <Picks view={view} />
        <Look settings={settings} change={change} download={() => saveText(channel, running.current?.list.entries ?? [])} />
      </div>
      <Chips seen={seen} view={view}>
        <Hint text={text} asking={asking} counts={shown.counts} />
      </Chips>
      <Banner shown={shown} view={view} past={past} />
      <div class="tail-body">
        {/* Not announced: hundreds of lines a second would never end. The state above is. */}
        <div class="tail-pane" role="log" aria-live="off" aria-label="Lines" aria-describedby="tail-keys" tabIndex={0} ref={pane}>
          <ol ref={items} role="list" />
        </div>
        <Nothing shown={shown} view={view} />
        {shown.paused && shown.counts.waiting > 0 && (
          <button type="button" class="primary tail-new" onClick={() => running.current?.resume()}>
            {many(shown.counts.waiting, "new line")} ↓
          </button>
        )}
      </div>
      <Counted shown={shown} />
      <span id="tail-keys" class="visually-hidden">
        Enter goes to the newest line that shows, arrow keys from line to line, space pauses and resumes.
      </span>
    </section>
  );
}
