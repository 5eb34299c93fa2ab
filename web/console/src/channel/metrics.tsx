// A channel over time: response times, throughput, errors, memory, load, queueing, and what users measure themselves.
import { useEffect, useMemo, useState } from "preact/hooks";
import { linkTo, setQuery, useRoute } from "../route";
import { exact } from "../ui/figures";
import { Failed, Loading, Stale } from "../ui/states";
import { moment } from "../ui/time";
import { useCatalogue, useSame, useSeries } from "./charts/asked";
import { ByDyno } from "./charts/by_dyno";
import { Chart, type Page } from "./charts/chart";
import { codeNames, errors, eventTime } from "./charts/codes";
import { Crosshair } from "./charts/crosshair";
import { dynoTypes, typeOf } from "./charts/dynos";
import { Events } from "./charts/events";
import { MomentBar } from "./charts/moment_bar";
import { ownOf } from "./charts/own";
import { OwnSeries } from "./charts/own_series";
import { Slowest } from "./charts/slowest";
import { concurrency, load, memory, queueing, responseTime, statusClasses, throughput } from "./charts/specs";
import { indexOf, iso, momentOf, rangeOf, ranges, timeAt, type Range } from "./charts/stretch";
import "./metrics.css";

const routerNames = ["router.service", "router.wait", ...statusClasses.map((status) => `router.status.${status}`)];
const queueNames = ["queue"];
const dynoNames = ["total", "rss", "swap", "quota"].map((kind) => `dyno.memory.${kind}`).concat("dyno.load.1m");

export function Metrics({ channel }: { channel: string }) {
  const { query } = useRoute();
  const range = rangeOf(query.get("range"));
  const type = query.get("type") ?? "";
  const pinned = momentOf(query.get("at"));
  const catalogue = useCatalogue(channel, range);
  const codes = useSame(codeNames(catalogue.data?.series ?? []));
  const names = useMemo(() => [...routerNames, ...codes], [codes]);
  const router = useSeries(channel, range, names, "none");
  const queue = useSeries(channel, range, queueNames);
  const dynos = useSeries(channel, range, dynoNames);
  const [said, say] = useState("");
  const crosshair = useMemo(() => new Crosshair(), []);
  const stretch = router.data?.stretch;

  useEffect(() => {
    const index = stretch ? indexOf(stretch, pinned) : null;
    crosshair.pin(index === null ? null : timeAt(stretch!, index));
  }, [crosshair, pinned, stretch?.from, stretch?.step]);

  const happened = router.data?.events;
  const page: Page = useMemo(
    () => ({
      channel, range, crosshair, say,
      events: (happened ?? []).map(eventTime).sort((a, b) => a - b),
      pin: (time) => setQuery({ at: iso(time) }),
      lines: (time) => (location.hash = linkTo({ page: "channel", channel, tab: "logs" }, { since: iso(time) })),
    }),
    [channel, range, crosshair, happened],
  );
  const wanted = (dyno: string) => type === "" || typeOf(dyno) === type;
  const types = dynoTypes(catalogue.data?.series ?? []);

  if (router.error && !router.data) return <Failed error={router.error} again={router.again} />;
  return (
    <div class="metrics">
      <Toolbar {...{ range, type, types }} />
      <Stale error={router.error} at={router.at} />
      {!router.data ? (
        <Loading what="the charts" />
      ) : (
        <>
          <Notes whole={router.data.stretch} late={router.data.late} range={range} />
          <div class="metrics-charts">
            <Chart page={page} spec={responseTime(router.data)} stretch={router.data.stretch} />
            <Chart page={page} spec={throughput(router.data)} stretch={router.data.stretch} />
            <Chart page={page} spec={errors(router.data)} stretch={router.data.stretch}>
              <Events events={router.data.events} stretch={router.data.stretch} crosshair={crosshair} />
            </Chart>
            {catalogue.data && <ByDyno channel={channel} catalogue={catalogue.data} wanted={wanted} />}
            {dynos.data && <Chart page={page} spec={memory(dynos.data, wanted)} stretch={dynos.data.stretch} />}
            {dynos.data && <Chart page={page} spec={load(dynos.data, wanted)} stretch={dynos.data.stretch} />}
            {dynos.error && !dynos.data && <p class="form-error">Memory and load: {dynos.error.message}</p>}
            <Chart page={page} spec={queueing(router.data, queue.data)} stretch={router.data.stretch} />
            <Chart page={page} spec={concurrency(router.data)} stretch={router.data.stretch} />
            <Slowest channel={channel} />
            <OwnSeries page={page} catalogue={catalogue.data} chosen={ownOf(query.get("own"))} />
          </div>
          <MomentBar channel={channel} time={pinned} range={range} />
        </>
      )}
      <p class="visually-hidden" role="status">
        {said}
      </p>
    </div>
  );
}

function Toolbar({ range, type, types }: { range: Range; type: string; types: string[] }) {
  return (
    <div class="metrics-toolbar">
      <div class="metrics-ranges" role="group" aria-label="Range">
        {ranges.map((one) => (
          <button key={one.id} type="button" aria-pressed={one === range} onClick={() => setQuery({ range: one === ranges[0] ? "" : one.id }, true)}>
            {one.text}
          </button>
        ))}
      </div>
      <span class="faint">in steps of {range.stepText}</span>
      <span class="fill" />
      {(types.length > 1 || type !== "") && (
        <label>
          Dynos{" "}
          <select value={type} onChange={(event) => setQuery({ type: event.currentTarget.value })}>
            <option value="">all</option>
            {[...new Set([...types, ...(type ? [type] : [])])].map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function Notes({ whole, late, range }: { whole: { from: number; wholeFrom: number; step: number }; late: number; range: Range }) {
  return (
    <>
      {whole.wholeFrom > whole.from + whole.step && (
        <p class="hint metrics-whole">
          <span class="metrics-hatch" aria-hidden="true" /> Before{" "}
          <time dateTime={iso(whole.wholeFrom)} title={iso(whole.wholeFrom)}>
            {moment(whole.wholeFrom * 1000)}
          </time>{" "}
          values in steps of {range.stepText} may be missing: they are not kept, or this router was not running yet.
        </p>
      )}
      {late > 0 && <p class="hint">{exact(late)} lines came too late to count in any step.</p>}
    </>
  );
}
