// The users' own series: what to add, and a chart for each that was.
import { setQuery } from "../../route";
import { many } from "../../ui/figures";
import { Stale } from "../../ui/states";
import { useSame, useSeries, type Catalogue } from "./asked";
import { Chart, type Page } from "./chart";
import { mostOwn, ownNames, ownText, sameOwn } from "./own";
import { own, type OwnName } from "./specs";

export function OwnSeries({ page, catalogue, chosen }: { page: Page; catalogue?: Catalogue; chosen: OwnName[] }) {
  const names = useSame([...new Set(chosen.map((one) => one.name))]);
  const { data, error, at } = useSeries(page.channel, page.range, names);
  const choose = (after: OwnName[]) => setQuery({ own: ownText(after) });
  const others = ownNames(catalogue?.series ?? []).filter((one) => !chosen.some((other) => sameOwn(one, other)));
  return (
    <>
      {data &&
        chosen.map((one) => (
          <Chart
            key={ownText([one])}
            page={page}
            spec={own(data, one)}
            stretch={data.stretch}
            tools={
              <button type="button" class="plain" aria-label={`Remove ${one.name}`} onClick={() => choose(chosen.filter((other) => other !== one))}>
                ✕
              </button>
            }
          />
        ))}
      <section class="metrics-chart sheet metrics-own">
        <h2>Own series</h2>
        <Stale error={error} at={at} />
        {error && !data && <p class="form-error">{error.message}</p>}
        {chosen.length >= mostOwn ? (
          <p class="hint">No more than {mostOwn} at once.</p>
        ) : others.length > 0 ? (
          <label>
            Add a chart of{" "}
            <select value="" onChange={(event) => choose([...chosen, others[Number(event.currentTarget.value)]!])}>
              <option value="">{many(others.length, "series", "series")} …</option>
              {others.map((one, index) => (
                <option key={index} value={index}>
                  {one.name}
                  {one.unit && ` (${one.unit})`}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <p class="hint">
            {chosen.length ? "All that there are show." : "None yet. A line with measure#cache.read=12ms, count#orders=1 or sample#jobs=40 makes one."}
          </p>
        )}
      </section>
    </>
  );
}
