// The form that opens the console.
import { useState } from "preact/hooks";
import { ApiError } from "../api/client";
import type { Session } from "./session";

function trouble(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401) return "User or password is wrong.";
  if (error.status === 429) return `Too many wrong tries from here. Try again in ${error.retryAfter ?? 60} s.`;
  return error.message;
}

export function SignIn({ session }: { session: Session }) {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setSaid("");
    try {
      await session.signIn(String(form.get("user")), String(form.get("password")));
    } catch (error) {
      setSaid(trouble(error));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <h1>Tailrace</h1>
        {session.ended && <p role="status">The session has ended. Log in to go on where you were.</p>}
        <label>
          User
          <input name="user" type="text" autocomplete="username" autocapitalize="off" spellcheck={false} required autofocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="form-error" role="alert">
          {said}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          Log in
        </button>
        <p class="hint">
          The administrator's credential is <code>TAILRACE_AUTH</code>; a router that was started without it printed one at its first start.
        </p>
      </form>
    </main>
  );
}
