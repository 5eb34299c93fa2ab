// The box: what is typed hides lines of this page at once; Enter makes it the router's filter.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, post } from "../api/client";
import { setQuery } from "../route";
import { exact } from "../ui/figures";
import type { Counts } from "./buffer";
import { filterOf, hasExpressions, parseTerms } from "./terms";
import { askOf, withTerm, type View } from "./view";

/** The text, at once; the URL has it a moment later. */
export function useTyped(view: View): [string, (text: string) => void] {
  const [text, setText] = useState(view.q);
  const written = useRef(view.q);
  const timer = useRef(0);
  useEffect(() => {
    if (view.q === written.current) return;
    written.current = view.q;
    setText(view.q);
  }, [view.q]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (typed: string) => {
    setText(typed);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      written.current = typed;
      setQuery({ q: typed });
    }, 300);
  };
  return [text, type];
}

export interface Asking {
  wrong: string; // what the router said of the text
  ask: () => void;
}

/** Makes what is typed a part of the router's filter, if it takes that. */
export function useAsking(channel: string, view: View, text: string, type: (text: string) => void): Asking {
  const [wrong, setWrong] = useState({ text: "", said: "" });
  const ask = async () => {
    const terms = parseTerms(text);
    if (terms.length === 0) return;
    const filter = withTerm(view.filter, filterOf(terms));
    try {
      // Asked for no lines: only whether the router takes it.
      await post("/v2/sessions", { ...askOf(channel, { ...view, filter }, 0), num: "0", tail: "0" });
      type("");
      setQuery({ filter, q: "" }, true);
    } catch (error) {
      setWrong({ text, said: error instanceof ApiError ? error.message : String(error) });
    }
  };
  return { wrong: wrong.text === text ? wrong.said : "", ask: () => void ask() };
}

export function Search({ text, type, ask }: { text: string; type: (text: string) => void; ask: () => void }) {
  return (
    <input
      class="tail-search"
      type="search"
      role="searchbox"
      aria-label="Filter lines"
      aria-describedby="tail-hint"
      placeholder="Filter: text, -text, &quot;a phrase&quot;, status>=500"
      value={text}
      maxLength={1000}
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      onInput={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") ask();
        else if (event.key === "Escape" && text === "") event.currentTarget.blur();
        else if (event.key === "Escape") (event.preventDefault(), type(""));
      }}
    />
  );
}

/** How much the text finds and hides, and what Enter does. */
export function Hint({ text, asking: { wrong, ask }, counts }: { text: string; asking: Asking; counts: Counts }) {
  const terms = parseTerms(text);
  if (terms.length === 0)
    return (
      <span id="tail-hint" class="visually-hidden">
        Hides lines of this page; Enter asks the router, which looks through all that it keeps.
      </span>
    );
  return (
    <span id="tail-hint" class="tail-hint">
      <span>hits: {exact(counts.shown)}</span> <span>hidden: {exact(counts.hidden)}</span>{" "}
      {wrong ? (
        <span class="tail-wrong" role="alert">
          {wrong}
        </span>
      ) : (
        <button type="button" title="As the router's filter: history reaches back further, and only such lines come" onClick={ask}>
          {hasExpressions(terms) ? "Enter: ask the router, which knows expressions" : "Enter: ask the router"}
        </button>
      )}
    </span>
  );
}
