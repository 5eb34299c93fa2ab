// The form for a new drain: it tries the far end first, and saves what works, or what one wants all the same.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, at, request } from "../api/client";
import type { Drain, DrainTest } from "../api/types";
import { failure } from "./do";
import { tryFarEnd } from "./far_end";
import { Field } from "./field";
import { TestSteps } from "./steps";
import { bodyOf, nothing, takesHttp, takesTls, wrongOf, type Wanted, type Wrong } from "./wanted";

const begins: [since: string, text: string][] = [
  ["", "what comes from now on"],
  ["15m", "the last 15 minutes"],
  ["1h", "the last hour"],
  ["oldest", "everything that is still kept"],
];

/** `reserved`: the drain that gets the URL; else a new one. `done` is told what to say, `close` ends it without, if it may. */
export function AddForm({ channel, reserved, done, close }: { channel: string; reserved?: Drain; done: (said: string) => void; close?: () => void }) {
  const [wanted, setWanted] = useState<Wanted>(nothing);
  const [wrong, setWrong] = useState<Wrong>({});
  const [doing, setDoing] = useState<"" | "test" | "save">("");
  const [test, setTest] = useState<DrainTest | null>(null);
  const edits = useRef(0); // a test holds for what stood there when it began
  useEffect(() => () => void (edits.current += 1), []); // and nothing is saved after it was cancelled
  const http = takesHttp(wanted.url);
  const tls = takesTls(wanted.url);
  const drains = at`/v3/channels/${channel}/drains`;

  const set = (name: keyof Wanted) => (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    setWanted((before) => ({ ...before, [name]: value }));
    setWrong({});
    setTest(null);
    edits.current += 1;
  };
  const failed = test !== null && !test.ok;

  const tryIt = async (body: Record<string, unknown>): Promise<boolean> => {
    setDoing("test");
    setTest(null);
    const begun = edits.current;
    const report = await tryFarEnd(drains, body);
    if (edits.current !== begun) return false;
    setTest(report);
    return report.ok;
  };
  const save = async (body: Record<string, unknown>) => {
    setDoing("save");
    const made = await (reserved
      ? request<Drain>("PUT", at`/v3/channels/${channel}/drains/${reserved.id}`, body)
      : request<Drain>("POST", drains, body));
    setWanted(nothing);
    done(`Drain ${made.id} to ${made.url} is added.`);
  };
  const submit = async (anyway: boolean) => {
    if (doing) return;
    const told = bodyOf(wanted);
    if ("wrong" in told) return setWrong(told.wrong);
    setWrong({});
    try {
      if (anyway || (await tryIt(told.body))) await save(told.body);
    } catch (error) {
      setWrong(error instanceof ApiError && error.status !== 403 && error.status !== 404 ? wrongOf(error) : { form: failure(error) });
    }
    setDoing("");
  };
  const input = (name: keyof Wanted) =>
    ({ value: wanted[name], onInput: set(name), autocomplete: "off", autocapitalize: "off", spellcheck: false }) as const;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [wrong]);
  useEffect(() => {
    if (test) form.current?.querySelector(".drains-buttons")?.scrollIntoView({ block: "nearest" });
  }, [test]);

  return (
    <form
      ref={form}
      class="drains-form sheet"
      aria-label={reserved ? `URL of drain ${reserved.id}` : "New drain"}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit(false);
      }}
    >
      <h2>{reserved ? `A URL for drain ${reserved.id}` : "New drain"}</h2>
      <Field
        label="URL"
        wrong={wrong.url}
        hint={
          <>
            <code>https://user:password@host/path</code>, <code>syslog+tls://host:6514</code>; also <code>http</code> and <code>syslog</code>. Once it is
            saved, nobody is shown the password.
          </>
        }
      >
        {(props) => <input {...props} {...input("url")} type="text" inputMode="url" name="url" autofocus />}
      </Field>
      <div class="drains-fields">
        <Field label="Begin with" wrong={wrong.since}>
          {(props) => (
            <select {...props} value={wanted.since} onChange={set("since")}>
              {begins.map(([since, text]) => (
                <option key={since} value={since}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Format" wrong={wrong.format}>
          {(props) => (
            <select {...props} value={wanted.format} onChange={set("format")}>
              <option value="logplex">logplex: as Heroku sends it</option>
              <option value="rfc5424">rfc5424: the whole record</option>
            </select>
          )}
        </Field>
        {http && (
          <Field label="Compression" wrong={wrong.compression}>
            {(props) => (
              <select {...props} value={wanted.compression} onChange={set("compression")}>
                <option value="">none</option>
                <option value="gzip">gzip</option>
                <option value="zstd">zstd</option>
              </select>
            )}
          </Field>
        )}
      </div>
      <Field
        label="Filter"
        wrong={wrong.filter}
        hint={
          <>
            Empty: all records. <code>status&gt;=500</code>, <code>service&gt;1s</code>, <code>@procid=router</code>, <code>timeout</code>,{" "}
            <code>/H1[0-9]/</code>, <code>-healthcheck</code>; blanks mean and, <code>or</code> means or.
          </>
        }
      >
        {(props) => <input {...props} {...input("filter")} type="text" name="filter" />}
      </Field>
      <details open={!!(wrong.headers || wrong.batch_bytes || wrong.batch_delay || wrong.signing_secret || wrong.tls_ca) || undefined}>
        <summary>More options</summary>
        {http && (
          <>
            <Field label="Headers" wrong={wrong.headers} hint="Of each request, one a line: X-Team: shop. Their values are shown to nobody afterwards.">
              {(props) => <textarea {...props} {...input("headers")} rows={2} />}
            </Field>
            <div class="drains-fields">
              <Field label="Batch size" wrong={wrong.batch_bytes} hint="1K to 8M; else 1M">
                {(props) => <input {...props} {...input("batch_bytes")} type="text" />}
              </Field>
              <Field label="Batch delay" wrong={wrong.batch_delay} hint="to 60s; else 0s">
                {(props) => <input {...props} {...input("batch_delay")} type="text" />}
              </Field>
              <Field label="Signing secret" wrong={wrong.signing_secret} hint="16 to 256 characters; else requests are not signed">
                {(props) => <input {...props} {...input("signing_secret")} type="password" autocomplete="new-password" />}
              </Field>
            </div>
          </>
        )}
        {tls && (
          <Field label="Authorities" wrong={wrong.tls_ca} hint="PEM of those to trust instead of the system's (tls_ca)">
            {(props) => <textarea {...props} {...input("tls_ca")} rows={2} placeholder="-----BEGIN CERTIFICATE-----" />}
          </Field>
        )}
      </details>
      <div role="status" class="drains-said">
        {doing === "test" && <p>Testing the far end: this takes up to 25 s …</p>}
        {doing === "save" && <p>Saving …</p>}
        {test && <TestSteps test={test} />}
        {failed && <p>Nothing is saved yet. A drain that cannot send keeps trying, and records wait for it up to the channel's bounds.</p>}
      </div>
      {wrong.form && (
        <p class="bad" role="alert">
          {wrong.form}
        </p>
      )}
      <div class="drains-buttons">
        <button type="submit" class="primary" aria-disabled={doing !== ""}>
          {failed ? "Test again and save" : "Test and save"}
        </button>
        {failed && (
          <button type="button" class="danger" aria-disabled={doing !== ""} onClick={() => void submit(true)}>
            Save anyway
          </button>
        )}
        {close && (
          <button type="button" onClick={close}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
