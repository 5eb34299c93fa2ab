// Asks again and again while somebody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client";

export interface Polled<T> {
  data?: T; // the last one that came, also while later ones fail
  error?: ApiError; // of the last try
  at?: number; // when `data` came, Date.now()
  again: () => void; // now
}

/**
 * Calls `ask` at once, then `every` milliseconds after each answer; not while the page is hidden. Begins anew, without
 * data, when `what` changes. Failures double the wait, up to 30 s. `every` 0: until there is an answer
 * or a refusal (4xx).
 */
export function usePoll<T>(ask: (signal: AbortSignal) => Promise<T>, every: number, what: string): Polled<T> {
  const [state, setState] = useState<{ what: string; data?: T; error?: ApiError; at?: number }>({ what });
  const [kick, setKick] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    const left = new AbortController();
    let timer = 0;
    let failures = 0;
    let asking = false;
    let settled = false; // nothing else is to come of `every` 0
    const look = async () => {
      window.clearTimeout(timer);
      if (asking || document.hidden || settled) return;
      asking = true;
      try {
        const data = await latest.current(left.signal);
        if (left.signal.aborted) return;
        failures = 0;
        settled = every === 0;
        setState({ what, data, at: Date.now() });
      } catch (error) {
        if (left.signal.aborted) return;
        failures += 1;
        const told = error instanceof ApiError ? error : new ApiError(0, String(error));
        settled = every === 0 && told.status >= 400 && told.status < 500 && told.status !== 429;
        setState((before) => (before.what === what ? { ...before, error: told } : { what, error: told }));
      } finally {
        asking = false;
      }
      if (settled) return;
      const base = every || 2000;
      timer = window.setTimeout(look, Math.min(base * 2 ** failures, Math.max(base, 30_000)));
    };
    const shown = () => void look();
    document.addEventListener("visibilitychange", shown);
    void look();
    return () => {
      left.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [what, every, kick]);

  const again = () => setKick((n) => n + 1);
  return state.what === what ? { data: state.data, error: state.error, at: state.at, again } : { again };
}
