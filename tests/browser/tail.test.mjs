// The live tail: lines at once, pausing that holds still, filters, gaps told, hostile text inert, bounded memory.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessible, checkFits, line, openPage, Router, routerLine, until } from "./harness.mjs";

let router;
before(async () => (router = await Router.start()));
after(() => router.stop());

const log = (page) => page.getByRole("log");
const lines = (page) => log(page).getByRole("listitem");
const openTail = (t, channel, options = {}) => openPage(t, router, { path: `/#/channels/${channel.id}`, ...options });
const live = (page) => page.getByText(/\blive\b/).first().waitFor();

/** `rate` numbered lines a second until stop(), which tells how many. */
async function stream(channel, rate, begin = 0) {
  const sender = await router.sender();
  let next = begin;
  const started = performance.now();
  const timer = setInterval(() => {
    const due = begin + Math.floor(((performance.now() - started) / 1000) * rate);
    const batch = [];
    while (next < due) batch.push(line(channel.app, "web.1", `line ${String(next++).padStart(7, "0")}`));
    if (batch.length) void sender.send(batch);
  }, 20);
  return { stop: async () => (clearInterval(timer), await sender.close(), next), sent: () => next };
}

test("history, then lines as they come", async (t) => {
  const channel = await router.channel("live");
  await router.send(line(channel.app, "web.1", "before anybody looked"));
  const page = await openTail(t, channel);
  await lines(page).filter({ hasText: "before anybody looked" }).waitFor();
  await live(page);
  await router.send(routerLine(channel.heroku, { dyno: "web.7" }));
  await lines(page).filter({ hasText: "dyno=web.7" }).waitFor();
  await checkAccessible(page, "tail");
});

test("pause holds still under 500 lines a second, and resume is at the end", async (t) => {
  const channel = await router.channel("busy");
  const page = await openTail(t, channel);
  await live(page);
  const flow = await stream(channel, 500);
  await lines(page).filter({ hasText: "line 0000100" }).waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Pause" }).click();
  const shown = () => page.evaluate(() => {
    const pane = document.querySelector('[role="log"]').getBoundingClientRect();
    const row = [...document.querySelectorAll('[role="log"] li')].find((one) => one.getBoundingClientRect().top >= pane.top);
    return { text: row.textContent, top: Math.round(row.getBoundingClientRect().top) };
  });
  const first = await shown();
  const since = flow.sent();
  await until(() => flow.sent() > since + 2500, "2,500 further lines");
  assert.deepEqual(await shown(), first);
  await page.getByText(/[\d,]+ new lines/).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  const sent = await flow.stop();
  await lines(page).filter({ hasText: `line ${String(sent - 1).padStart(7, "0")}` }).waitFor();
  assert.equal(await page.evaluate(() => window.scrollY), 0);

  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await page.keyboard.press(" ");
  await log(page).hover();
  await page.mouse.wheel(0, -400);
  await page.getByRole("button", { name: "Resume" }).waitFor(); // who scrolls up wants to read
});

test("filter as one types, and chips; the URL has it", async (t) => {
  const channel = await router.channel("filtered");
  await router.send([...Array(50).keys()].map((i) => line(channel.app, `web.${i % 2}`, i === 7 ? "a needle in the hay" : `hay ${i}`)));
  const page = await openTail(t, channel);
  await lines(page).filter({ hasText: "hay 49" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("needle");
  await until(async () => (await lines(page).filter({ visible: true }).count()) === 1, "one line that matches");
  assert.equal(await page.locator("mark").filter({ visible: true }).first().innerText(), "needle");
  await page.keyboard.press("Enter");
  await until(() => page.url().includes("needle"), "filter in the URL");
  const other = await openTail(t, channel, { path: `/${new URL(page.url()).hash}` });
  await lines(other).filter({ hasText: "needle" }).waitFor();
  assert.equal(await lines(other).filter({ visible: true }).count(), 1);
});

test("what a reader missed is told, and shown + missed = sent", async (t) => {
  const channel = await router.channel("gaps");
  const page = await openTail(t, channel);
  await live(page);
  await router.send(line(channel.app, "web.1", "the first"));
  await lines(page).filter({ hasText: "the first" }).waitFor();
  await page.context().setOffline(true);
  page.expected.push(/ERR_INTERNET_DISCONNECTED/);
  await router.send([...Array(50).keys()].map((i) => line(channel.app, "web.1", `while away ${i}`)));
  await page.context().setOffline(false);
  await lines(page).filter({ hasText: "while away 49" }).waitFor();
  const texts = await lines(page).allInnerTexts();
  const came = texts.filter((text) => /the first|while away/.test(text)).length;
  assert.equal(came, 51);
});

test("hostile lines are text", async (t) => {
  const channel = await router.channel("hostile");
  const page = await openTail(t, channel);
  await live(page);
  const hostile = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "\u001b]0;taken\u0007\u001b]52;c;dGFrZW4=\u0007",
    "\u001b[31mred\u001b[0m \u001b[1mbold\u001b[0m \u001b[2J\u001b[H",
    "\u202Etxet desrever\u202C",
    "javascript:alert(1) http://evil.example/",
    "nul \u0000 here",
    "x".repeat(9000),
  ];
  await router.send(hostile.map((text) => line(channel.app, "web.1", text)));
  await router.send(line(channel.app, "web.1", "the last"));
  await lines(page).filter({ hasText: "the last" }).waitFor();
  assert.notEqual(await page.title(), "taken");
  assert.equal(await log(page).locator("script, img, iframe, a[href^='javascript:']").count(), 0);
  await lines(page).filter({ hasText: "<script>document.title" }).waitFor();
  const red = lines(page).filter({ hasText: "red" }).locator("span").filter({ hasText: /^red$/ });
  assert.notEqual(await red.evaluate((one) => getComputedStyle(one).color), await lines(page).last().evaluate((one) => getComputedStyle(one).color));
  const text = await lines(page).allInnerTexts();
  assert.ok(!text.join("").includes("\u001b"), "an escape is left");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true);
});

test("20,000 lines: rows and memory stay bounded", async (t) => {
  const channel = await router.channel("many");
  const page = await openTail(t, channel);
  await live(page);
  const heap = () => page.evaluate(() => (window.gc(), performance.memory.usedJSHeapSize));
  const flow = await stream(channel, 2000);
  const counted = async (what) => Number((await page.getByText(new RegExp(`^${what}:`)).innerText()).replace(/\D/g, ""));
  const received = () => counted("received");
  await until(async () => (await received()) > 6000, "6,000 lines");
  const early = await heap();
  await until(() => flow.sent() > 21_000, "21,000 lines");
  const sent = await flow.stop();
  await until(async () => (await received()) + (await counted("skipped")) === sent, "all lines, or how many are missing");
  await lines(page).filter({ hasText: `line ${String(sent - 1).padStart(7, "0")}` }).waitFor({ state: "attached" });
  const rows = await lines(page).count();
  assert.ok(rows <= 2000, `${rows} rows`);
  const late = await heap();
  console.log(`${sent} lines: ${rows} rows, heap ${(early / 1e6).toFixed(1)} MB at 6,000 and ${(late / 1e6).toFixed(1)} MB at the end`);
  assert.ok(late < early * 2 + 20e6 && late < 200e6, `${early} ${late}`);
});

test("the router goes away and comes back, and the page says so", async (t) => {
  const own = await Router.start();
  t.after(() => own.stop());
  const channel = await own.channel("gone");
  const page = await openPage(t, own, { path: `/#/channels/${channel.id}` });
  await live(page);
  page.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  await own.stop();
  await page.getByText(/reconnecting|cannot be reached|No connection/).first().waitFor();
});

test("whatever one presses while it connects, each line comes once", async (t) => {
  const channel = await router.channel("impatient");
  const page = await openPage(t, router);
  page.expected.push(/ERR_FAILED/);
  let held = true;
  await page.route("**/v2/sessions", (route) => (held ? route.abort() : route.continue()));
  await page.goto(`${router.url}/#/channels/${channel.id}`);
  await page.getByText(/reconnecting/).first().waitFor();
  for (let i = 0; i < 4; i++) {
    await page.getByRole("button", { name: i % 2 ? "Resume" : "Pause" }).click();
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  }
  held = false;
  await live(page);
  await router.send([1, 2, 3].map((i) => line(channel.app, "web.1", `once ${i}`)));
  await lines(page).filter({ hasText: "once 3" }).waitFor();
  assert.equal(await lines(page).count(), 3);
  assert.equal((await router.api("GET", "/v3/system")).tails.open, 1);
});

test("narrow and dark", async (t) => {
  const channel = await router.channel("narrow");
  await router.send([routerLine(channel.heroku), line(channel.app, "web.1", "a line of the app")]);
  const page = await openTail(t, channel, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await lines(page).filter({ hasText: "a line of the app" }).waitFor();
  await checkFits(page, "tail");
  await checkAccessible(page, "tail, narrow and dark");
});
