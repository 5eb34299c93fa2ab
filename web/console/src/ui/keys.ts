// Keys that work wherever one is on a page, but not while somebody types.
import { useEffect } from "preact/hooks";

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

const kept = "tailrace.keys";

/** Whether keys of one character do anything (WCAG 2.1.4); kept in this browser. */
export function keysOn(): boolean {
  try {
    return localStorage.getItem(kept) !== "off";
  } catch {
    return true;
  }
}

export function turnKeys(on: boolean): void {
  try {
    on ? localStorage.removeItem(kept) : localStorage.setItem(kept, "off");
  } catch {
    // Without storage they stay on.
  }
}

/** `keys`: by KeyboardEvent.key. A space on a button or link stays theirs. */
export function useKeys(keys: Record<string, () => void>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector("dialog[open]") || (event.key.length === 1 && !keysOn())) return;
      if (event.key === " " && event.target instanceof HTMLElement && event.target.closest("button,a,summary")) return;
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  });
}

/** `/` goes to the page's search. */
export function focusSearch(): void {
  const box = document.querySelector<HTMLInputElement>("input[type=search]");
  box?.focus();
  box?.select();
}
