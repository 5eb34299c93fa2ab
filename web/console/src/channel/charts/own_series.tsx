// The users' own series: what to add, and a chart for each that was.
import { setQuery } from "../../route";
import { many } from "../../ui/figures";
import { Stale } from "../../ui/states";
import { useSame, useSeries, type Catalogue } from "./asked";
import { Chart, type Page } from "./chart";
import { mostOwn, ownNames, ownText, sameOwn } from "./own";
import { own, type OwnName } from "./specs";

interface Props {
  page: Page;
  catalogue?: Catalogue;
  chosen: OwnName[];
}

const choose = (after: OwnName[]) => setQuery({ own: ownText(after) });

export function OwnSeries({ page, catalogue, chosen }: Props) {
  const names = useSame([...new Set(chosen.map((one) => one.name))]);
  const { data, error, at } = useSeries(page.channel, page.range, names);
  return (
    <>
      <section class="metrics-chart sheet metrics-own">
        <h2>Own series</h2>
        <p class="hint">
          What this channel's lines measure themselves, as <code>measure#cache.read=12ms</code>, <code>count#orders=1</code> or <code>sample#jobs=40</code>.
        </p>
        <Choice {...{ catalogue, chosen }} />
        <Stale error={error} at={at} />
        {error && !data && <p class="form-error">{error.message}</p>}
      </section>
      {data &&
        chosen.map((one) => (
          <Chart
            key={ownText([one])}
            page={page}
            spec={own(data, one)}
            stretch={data.stretch}
            tools={
              <button type="button" class="plain" aria-label={`Remove ${one.name}`} onClick={() => choose(chosen.filter((other) => !sameOwn(one, other)))}>
                Remove
              </button>
            }
          />
        ))}
    </>
  );
}

function Choice({ catalogue, chosen }: Omit<Props, "page">) {
  const others = ownNames(catalogue?.series ?? []).filter((one) => !chosen.some((other) => sameOwn(one, other)));
  if (chosen.length >= mostOwn) return <p class="hint">No more than {mostOwn} at once.</p>;
  if (others.length === 0 && chosen.length > 0) return <p class="hint">All that there are show.</p>;
  if (others.length === 0)
    return <p class="hint">There are none in this time.</p>;
  const text = (one: OwnName) => (one.unit ? `${one.name} (${one.unit})` : one.name);
  return (
    <label>
      Add a chart of{" "}
      <select value="" onChange={(event) => choose([...chosen, others[Number(event.currentTarget.value)]!])}>
        <option value="">{many(others.length, "series", "series")} …</option>
        {others.map((one, index) => (
          <option key={`${one.kind} ${one.unit} ${one.name}`} value={index}>
            {text(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
