// What shows where there is nothing to show: not yet, not any more, not for you.
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client";
import { clock } from "./time";

export function Loading({ what }: { what: string }) {
  return (
    <p class="state loading" role="status">
      Loading {what} …
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <section class="state empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Why there is no answer, and what to do. `again`: tries once more. */
export function Failed({ error, again }: { error: ApiError; again?: () => void }) {
  if (error.status === 403) return <Forbidden />;
  return (
    <section class="state failed" role="alert">
      <h2>{error.status === 404 ? "Not found" : error.status === 0 ? "No connection" : "That did not work"}</h2>
      <p>{error.message}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </section>
  );
}

export function Forbidden() {
  return (
    <section class="state forbidden">
      <h2>Not permitted</h2>
      <p>The credential that is signed in may not see this. Whoever administers this router can give it the permission.</p>
    </section>
  );
}

/** Old data stays on screen while later questions fail; this says so. */
export function Stale({ error, at }: { error?: ApiError; at?: number }) {
  if (!error || !at) return null;
  return (
    <p class="stale" role="status">
      {error.message} What shows is from {clock(at)}; trying again.
    </p>
  );
}
