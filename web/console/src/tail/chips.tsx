// Sources and dynos that were seen, and what else narrows the view.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { setQuery } from "../route";
import { moment } from "../ui/time";
import { colourOfSource } from "./row";
import type { Seen } from "./seen";
import { plainText } from "./sgr";
import { parseTerms, shownTerm } from "./terms";
import { withoutTerm, type View } from "./view";

const most = { sources: 8, dynos: 16 };

/** Every few seconds; not while somebody is about to click. */
function useSeen(seen: Seen): { sources: string[]; dynos: string[]; bar: { current: HTMLDivElement | null } } {
  const bar = useRef<HTMLDivElement>(null);
  const look = () => ({ sources: seen.sources(most.sources), dynos: seen.dynos(most.dynos) });
  const [now, setNow] = useState(look);
  useEffect(() => {
    let rounds = 0;
    const timer = window.setInterval(() => {
      rounds += 1;
      if (document.hidden || bar.current?.matches(":hover, :focus-within") || (rounds > 8 && rounds % 5 !== 0)) return;
      setNow((before) => {
        const next = look();
        return JSON.stringify(next) === JSON.stringify(before) ? before : next;
      });
    }, 500);
    return () => window.clearInterval(timer);
  }, [seen]);
  return { ...now, bar };
}

function Chip({ name, chosen, field }: { name: string; chosen: string; field: "source" | "ps" }) {
  const pressed = name === chosen;
  const colour = field === "source" ? "" : ` tail-s${colourOfSource(name)}`;
  return (
    <button type="button" class={`tail-chip${colour}`} aria-pressed={pressed} onClick={() => setQuery({ [field]: pressed ? "" : name }, true)}>
      {plainText(name)}
    </button>
  );
}

function Token({ text: given, title, remove }: { text: string; title: string; remove: () => void }) {
  const text = plainText(given);
  return (
    <button type="button" class="tail-chip tail-token" title={`${plainText(title)}. Click to remove.`} aria-label={`Remove ${text}`} onClick={remove}>
      {text} <span aria-hidden="true">✕</span>
    </button>
  );
}

function Tokens({ view }: { view: View }) {
  const lists = parseTerms(view.filter);
  const terms = lists.length === 1 ? lists[0]! : [];
  const without = (list: string[], at: number) => list.filter((_, i) => i !== at);
  return (
    <>
      {terms.map((term, i) => (
        <Token key={`f${i}`} text={shownTerm(term)} title="The router's filter" remove={() => setQuery({ filter: withoutTerm(view.filter, term.source) }, true)} />
      ))}
      {view.filter && terms.length === 0 && <Token text={view.filter} title="The router's filter" remove={() => setQuery({ filter: "" }, true)} />}
      {view.grep.map((text, i) => (
        <Token key={`g${i}`} text={`/${text}/`} title="grep" remove={() => setQuery({ grep: without(view.grep, i) }, true)} />
      ))}
      {view.exclude.map((text, i) => (
        <Token key={`e${i}`} text={`-/${text}/`} title="exclude" remove={() => setQuery({ exclude: without(view.exclude, i) }, true)} />
      ))}
      {/^\d{4}-/.test(view.since) && <Token text={`from ${sinceText(view.since)}`} title={`since ${view.since}`} remove={() => setQuery({ since: "" }, true)} />}
      {view.after && <Token text={`behind ${view.after}`} title="after this number" remove={() => setQuery({ after: "" }, true)} />}
    </>
  );
}

export function sinceText(since: string): string {
  const at = new Date(since);
  return Number.isNaN(at.getTime()) ? since : `${moment(at)}:${String(at.getSeconds()).padStart(2, "0")}`;
}

/** One that is chosen shows whether it was seen or not. */
const withChosen = (names: string[], chosen: string) => (chosen === "" || names.includes(chosen) ? names : [chosen, ...names]);

export function Chips({ seen, view, children }: { seen: Seen; view: View; children: ComponentChildren }) {
  const { sources, dynos, bar } = useSeen(seen);
  const shownSources = withChosen(sources, view.source);
  const shownDynos = withChosen(dynos, view.ps);
  return (
    <div class="tail-chips" ref={bar}>
      {children}
      <Tokens view={view} />
      {shownSources.length > 0 && (
        <div role="group" aria-label="Sources">
          {shownSources.map((name) => (
            <Chip key={name} name={name} chosen={view.source} field="source" />
          ))}
        </div>
      )}
      {shownDynos.length > 0 && (
        <div role="group" aria-label="Dynos">
          {shownDynos.map((name) => (
            <Chip key={name} name={name} chosen={view.ps} field="ps" />
          ))}
        </div>
      )}
    </div>
  );
}
