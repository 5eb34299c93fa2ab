// What the console's tests have in common: the real binary, the real page in Debian's Chromium, far ends, and a watch over
// what a page must never do: an error in the browser's console, a request off its origin, a dialog.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after } from "node:test";
import { chromium } from "playwright-core";

export const auth = { user: "local", password: "password-of-tests" };
const binary = process.env.TAILRACE_BINARY;
const patience = 20_000; // milliseconds; only something broken takes as long
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Until `there` gives something true. */
export async function until(there, what, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await there();
    if (got) return got;
    if (Date.now() > end) throw new Error(`no ${what} within ${ms} ms`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** `tailrace serve` on free ports. */
export class Router {
  #said = "";

  static async start(...flags) {
    const router = new Router();
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(TAILRACE_|PORT$)/.test(name)));
    router.process = spawn(
      binary,
      ["serve", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "127.0.0.1:0",
        "--drain-allow", "127.0.0.0/8", "--auth", `${auth.user}:${auth.password}`, "--grace", "300ms", ...flags],
      { env: environment, stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [router.process.stdout, router.process.stderr]) stream.on("data", (bytes) => (router.#said += bytes));
    const ready = await until(() => {
      assert.equal(router.process.exitCode, null, router.#said);
      const http = /msg="ready" http=(\S+) admin=(\S+)/.exec(router.#said);
      const syslog = /msg="syslog over TCP" address=127\.0\.0\.1:(\d+)/.exec(router.#said);
      return http && syslog && [http[1], http[2], Number(syslog[1])];
    }, "ready router");
    [router.publicUrl, router.url, router.syslogPort] = ready;
    return router;
  }

  async stop(signal = "SIGTERM") {
    if (this.process.exitCode !== null || this.process.signalCode) return;
    const ended = new Promise((end) => this.process.once("exit", end));
    this.process.kill(signal);
    await ended;
  }

  /** The answer's JSON; refusals throw. */
  async api(method, path, body, who = auth) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Basic ${btoa(`${who.user}:${who.password}`)}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** A new channel with tokens for an app and its platform. */
  async channel(name) {
    const made = await this.api("POST", "/channels", { name, tokens: ["app", "heroku"] });
    return { id: String(made.channel_id), name, app: made.tokens.app, heroku: made.tokens.heroku };
  }

  drain(channel, url, options = {}) {
    return this.api("POST", `/v3/channels/${channel.id}/drains`, { url, ...options });
  }

  /** A connection for `line()`s. */
  async sender() {
    const socket = createConnection(this.syslogPort, "127.0.0.1");
    await new Promise((connected, failed) => socket.once("connect", connected).once("error", failed));
    return {
      send: (lines) => new Promise((sent) => socket.write([lines].flat().map((l) => `${Buffer.byteLength(l)} ${l}`).join(""), sent)),
      close: () => new Promise((closed) => socket.end(closed)),
    };
  }

  async send(lines) {
    const sender = await this.sender();
    await sender.send(lines);
    await sender.close();
  }

  /** The samples of a family in /metrics, by their labels as text. */
  async metric(family, labels = {}) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    for (const line of text.split("\n")) {
      if (!line.startsWith(`${family}{`) && !line.startsWith(`${family} `)) continue;
      if (Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`))) return Number(line.split(" ").at(-1));
    }
    return undefined;
  }
}

/** One syslog line as a sender writes it. `time`: a Date. */
export function line(token, procid, message, time = new Date(), priority = 190) {
  return `<${priority}>1 ${time.toISOString().replace("Z", "000+00:00")} host ${token} ${procid} - ${message}`;
}

export function routerLine(token, { service = 20, connect = 1, status = 200, dyno = "web.1", code, time, id = crypto.randomUUID() } = {}) {
  const at = code ? `at=error code=${code} desc="Request timeout"` : "at=info";
  return line(token, "router", `${at} method=GET path="/" host=shop.example.com request_id=${id} fwd="10.0.0.1" dyno=${dyno} ` +
    `connect=${connect}ms service=${service}ms status=${status} bytes=512 protocol=https`, time, 158);
}

/** A drain's far end over HTTP. `mode`: a status to answer, or "hang". */
export class FarEnd {
  mode = 200;
  posts = 0;

  static async start() {
    const far = new FarEnd();
    far.server = createServer((request, response) => {
      request.resume().on("end", () => {
        far.posts += 1;
        if (far.mode !== "hang") response.writeHead(far.mode).end();
      });
    });
    await new Promise((listening) => far.server.listen(0, "127.0.0.1", listening));
    far.url = `http://127.0.0.1:${far.server.address().port}/logs`;
    return far;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(closed));
  }
}

let browser;
after(() => browser?.close());

/**
 * A page of its own context, watched: `page.expected` takes patterns of console errors that a test causes on purpose. `finish`
 * is called by the test's end and fails it for what the page did wrong.
 */
export async function openPage(t, router, { path = "/", signIn = true, who = auth, ...context } = {}) {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
  });
  const opened = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await opened.newPage();
  page.setDefaultTimeout(patience);
  page.expected = [];
  const wrong = [];
  page.on("console", (said) => said.type() === "error" && wrong.push(`console: ${said.text()} (${said.location().url})`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => (wrong.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${router.url}/`) && !/^(blob|data):/.test(url)) wrong.push(`request off origin: ${url}`);
  });
  t.after(async () => {
    await opened.close();
    const unexpected = wrong.filter((one) => !page.expected.some((pattern) => pattern.test(one)));
    assert.deepEqual(unexpected, []);
  });
  await page.goto(router.url + path);
  if (signIn) await signInto(page, who);
  return page;
}

export async function signInto(page, who = auth) {
  await page.getByRole("textbox", { name: "User" }).fill(who.user);
  await page.getByRole("textbox", { name: "Password" }).fill(who.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
}

/** WCAG 2.2 AA and axe's best practices: no violation. */
export async function checkAccessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const told = violations.map((v) => `${what}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(" | ")}`);
  assert.deepEqual(told, []);
}

/** Nothing wider than the window, and the page itself never scrolls. */
export async function checkFits(page, what) {
  const { wide, scrolled } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    scrolled: window.scrollY,
  }));
  assert.deepEqual({ wide, scrolled }, { wide: 0, scrolled: 0 }, what);
}
