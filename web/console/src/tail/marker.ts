// The row that stands for lines before or behind those that are in the document.
import { exact } from "../ui/figures";
import type { Entry } from "./buffer";

export interface Marker {
  item: HTMLLIElement;
  /** `count` lines, `here` of them still held by this page. */
  tell: (count: number, here: number) => void;
}

export function marker(text: string, act: () => void): Marker {
  const item = document.createElement("li");
  item.className = "tail-gap tail-rest";
  item.hidden = true;
  const words = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Show ${text}`;
  button.addEventListener("click", act);
  item.append(words, " ", button);
  const tell = (count: number, here: number) => {
    const said = `${exact(count)} ${text} ${count === 1 ? "line" : "lines"}`;
    const all = here === 0 ? `${said}, let go by this page` : here < count ? `${said}, ${exact(here)} of them still here` : said;
    if (words.textContent !== all) words.textContent = all;
    item.dataset.count = String(count);
    item.hidden = count === 0;
    button.hidden = here === 0;
  };
  return { item, tell };
}


/** Of these entries: the lines, and with them those that are missing among them. */
export function linesOf(entries: readonly Entry[], from: number, to: number): { here: number; all: number } {
  let [here, missing] = [0, 0];
  for (let at = from; at < to; ++at) {
    const entry = entries[at]!;
    if (entry.kind === "line") here += 1;
    else if (entry.kind === "gap") missing += entry.count;
  }
  return { here, all: here + missing };
}
