// One change at a time, and what came of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";

export interface Said {
  good: boolean;
  text: string;
}

/** `run` does it unless something is under way; what it returns, or why it failed, is `said`. */
export function useDoing() {
  const [doing, setDoing] = useState("");
  const [said, setSaid] = useState<Said | null>(null);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);
  const run = async (name: string, act: () => Promise<string>): Promise<boolean> => {
    if (doing) return false;
    setDoing(name);
    setSaid(null);
    let outcome: Said;
    try {
      outcome = { good: true, text: await act() };
    } catch (error) {
      outcome = { good: false, text: `${name}: ${failure(error)}` };
    }
    if (there.current) {
      setSaid(outcome.text ? outcome : null);
      setDoing("");
    }
    return outcome.good;
  };
  return { doing, said, run };
}

export function failure(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 403) return "the credential that is signed in may not do this.";
  if (error.status === 404) return "this drain is not there any more.";
  return error.message + (error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "");
}
