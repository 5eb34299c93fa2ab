// Every channel at a glance, worst first.
import { useEffect, useState } from "preact/hooks";
import { setQuery, useRoute } from "../route";
import { mayManage, useWho } from "../session/session";
import { Empty, Failed, Loading, Stale } from "../ui/states";
import { FirstRun, NothingToRead, Silent } from "./first";
import "./overview.css";
import { ChannelTable } from "./table";
import { Totals } from "./totals";
import { useHold } from "../ui/use_hold";
import { useRows } from "./use_rows";
import { viewOf, type Shown } from "./view";

const few = 5; // channels; of more, silence is nobody's first run

function silent({ answer, view }: Shown): boolean {
  return (
    view.search === "" &&
    answer.total <= few &&
    answer.channels.every((row) => !row.records_per_second && row.p95 === null && row.lag_records === 0 && row.troubles.length === 0)
  );
}

/** What is typed is asked for once typing rests; what the URL says is typed. */
function Search({ search }: { search: string }) {
  const [text, setText] = useState(search);
  useEffect(() => setText(search), [search]);
  useEffect(() => {
    if (text === search) return;
    const timer = window.setTimeout(() => setQuery({ search: text }), 200);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <input
      type="search"
      class="over-search"
      aria-label="Search channels"
      placeholder="Search name or id  ( / )"
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") setQuery({ search: text });
        if (event.key === "Escape" && text === "") event.currentTarget.blur();
      }}
    />
  );
}

export function Overview() {
  const view = viewOf(useRoute().query);
  const who = useWho();
  const hold = useHold();
  const rows = useRows(view, hold.held);
  const { shown } = rows;
  const [at, setAt] = useState(Date.now);
  useEffect(() => void (rows.at && setAt(rows.at)), [rows.at]);

  if (!shown)
    return (
      <>
        <h1>Channels</h1>
        {rows.error ? <Failed error={rows.error} again={rows.again} /> : <Loading what="the channels" />}
      </>
    );
  const { answer } = shown;
  return (
    <div class="over">
      <header>
        <h1>Channels</h1>
        {answer.total > 0 && <Search search={view.search} />}
      </header>
      {answer.total > 0 && <Totals shown={shown} at={at} />}
      {answer.matching > 0 && <ChannelTable shown={shown} sort={view.sort} busy={!rows.data} hold={hold} look={rows.look} />}
      {answer.total === 0 && (mayManage(who) ? <FirstRun /> : <NothingToRead />)}
      {answer.total > 0 && answer.matching === 0 && (
        <Empty title="No channel matches">
          <p>No name and no id contains “{shown.view.search}”.</p>
          <button type="button" onClick={() => setQuery({ search: "" })}>
            Show all channels
          </button>
        </Empty>
      )}
      {answer.total > 0 && silent(shown) && mayManage(who) && <Silent one={answer.total === 1} />}
      <Stale error={rows.error} at={at} />
    </div>
  );
}
