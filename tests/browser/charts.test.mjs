// A channel's charts show what the API and /metrics say.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessible, checkFits, line, openPage, Router, routerLine, until } from "./harness.mjs";

let router, shop;
const minute = (ago) => new Date(Math.floor(Date.now() / 60_000 - ago) * 60_000 + 30_000);

before(async () => {
  router = await Router.start("--router-by", "dyno");
  shop = await router.channel("shop");
  const lines = [];
  for (const ago of [20, 19, 18, 12, 11, 10]) // nothing came from 17 to 13 minutes ago
    for (let i = 0; i < 50; i++)
      lines.push(routerLine(shop.heroku, { time: minute(ago), service: 10 + i * ago, status: i % 10 ? 200 : 404, dyno: `web.${1 + (i % 2)}` }));
  lines.push(routerLine(shop.heroku, { time: minute(11), service: 30_000, status: 503, code: "H12" }));
  lines.push(line(shop.app, "api", "Deploy 12ab34c by somebody", minute(15), 190));
  for (const dyno of ["web.1", "web.2"])
    lines.push(line(shop.heroku, dyno, `source=${dyno} dyno=heroku.1.2 sample#load_avg_1m=0.42 sample#memory_total=103.5MB sample#memory_rss=100MB sample#memory_swap=0MB sample#memory_quota=512MB`, minute(10)));
  await router.send(lines);
  await until(async () => (await router.metric("tailrace_channel_records_total", { channel: shop.id })) === lines.length, "records");
});
after(() => router.stop());

const chart = (page, name) => page.getByRole("img", { name });

test("values are those of the API, to the digit", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}` });
  await page.getByRole("link", { name: "Metrics" }).click();
  await chart(page, /Response time/).waitFor();
  await checkAccessible(page, "metrics");
  const wanted = (await router.api("GET", `/v3/channels/${shop.id}/metrics?from=2h&to=0s&step=60&name=router.service`)).series.find((s) => s.source === "").points;
  const drawn = chart(page, /Response time/);
  await drawn.focus();
  const seen = new Map();
  await page.keyboard.press("End");
  for (let step = 0; step < 25; step++) {
    const at = await page.locator('[data-chart="response-time"] time[data-time]').getAttribute("data-time");
    const values = await page.locator('[data-chart="response-time"] [data-series]').evaluateAll((all) => Object.fromEntries(all.map((one) => [one.dataset.series, one.dataset.value])));
    seen.set(Date.parse(at), values);
    await page.keyboard.press("ArrowLeft");
  }
  assert.equal(wanted.length, 6);
  for (const point of wanted) {
    const values = seen.get(Date.parse(point.time));
    assert.ok(values, point.time);
    const numbers = Object.values(values).map(Number).sort((a, b) => a - b);
    assert.deepEqual(numbers, [point.median, point.p95, point.p99, point.max].sort((a, b) => a - b), point.time);
  }
  const gap = minute(15).setSeconds(0, 0);
  assert.deepEqual(new Set(Object.values(seen.get(gap))), new Set([""])); // a gap is no 0

  // All charts look at the same moment.
  const times = await page.locator("[data-chart] time[data-time]").evaluateAll((all) => all.map((one) => one.dataset.time));
  assert.equal(new Set(times).size, 1, times);

  // As many requests as /metrics counts.
  const total = await page.locator('[data-chart="throughput"]').count();
  assert.equal(total, 1);
  const requests = await router.metric("tailrace_router_requests_total", { channel: shop.id, status: "404" });
  const drawn404 = (await router.api("GET", `/v3/channels/${shop.id}/metrics?from=2h&to=0s&step=60&name=router.status.4xx`)).series[0].points.reduce((sum, p) => sum + p.count, 0);
  assert.equal(drawn404, requests);
});

test("a legend entry hides its series", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}/metrics` });
  const entry = page.locator('[data-chart="response-time"]').getByRole("button", { name: /^max/ });
  await entry.waitFor();
  assert.equal(await entry.getAttribute("aria-pressed"), "true");
  await entry.click();
  assert.equal(await entry.getAttribute("aria-pressed"), "false");
});

test("from the charts to lines, to files, and to a link that others can open", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}/metrics` });
  await chart(page, /Response time/).waitFor();
  await page.getByText("H12").first().waitFor();
  await page.getByText(/Deploy 12ab34c/).first().waitFor();

  const csv = await page.locator('[data-chart="response-time"] a[href*="format=csv"]').first().getAttribute("href");
  const text = await page.evaluate((href) => fetch(href).then((answer) => answer.text()), csv);
  assert.match(text, /^time,name,/);
  const svg = await page.locator('[data-chart="response-time"] a[href*="format=svg"]').first().getAttribute("href");
  assert.match(await page.evaluate((href) => fetch(href).then((answer) => answer.text()), svg), /^(<\?xml[^>]*>\s*)?<svg /);

  await chart(page, /Response time/).focus();
  await page.keyboard.press("End");
  for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await page.getByRole("log").waitFor();
  await page.getByRole("listitem").first().waitFor();
});

test("a link shows its chart, and nothing else, to whoever has it", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}/metrics` });
  const box = page.locator('[data-chart="response-time"]');
  await box.getByText("Export").click();
  await box.getByRole("button", { name: /Share/ }).click();
  const dialog = page.getByRole("dialog");
  await checkAccessible(page, "sharing");
  const opened = {};
  for (const form of ["csv", "json", "svg"]) {
    await dialog.getByLabel("As").selectOption(form);
    const make = dialog.getByRole("button", { name: "Make the link" });
    if (await make.count()) await make.click();
    const url = await dialog.locator("code").innerText();
    const answer = await fetch(url); // without a credential
    assert.equal(answer.status, 200, url);
    opened[form] = await answer.text();
  }
  const api = await router.api("GET", `/v3/channels/${shop.id}/metrics?from=2h&to=0s&step=60&name=router.service`);
  const wanted = api.series.find((series) => series.source === "").points;
  const given = JSON.parse(opened.json).series;
  assert.equal(given.length, 1); // none by dyno
  assert.deepEqual(given[0].points, wanted);
  assert.equal(opened.csv.trim().split("\r\n").length, wanted.length + 1);
  assert.match(opened.svg, /^(<\?xml[^>]*>\s*)?<svg /);
});

test("ranges stand in the URL", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}/metrics` });
  for (const name of ["24 h", "72 h", "7 d"]) {
    await page.getByRole("button", { name }).click();
    await until(async () => (await page.getByRole("button", { name }).getAttribute("aria-pressed")) === "true", name);
    await chart(page, /Response time/).waitFor();
  }
  assert.match(page.url(), /range=7d/);
});

test("narrow and dark; an empty channel", async (t) => {
  const page = await openPage(t, router, { path: `/#/channels/${shop.id}/metrics`, viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await chart(page, /Response time/).waitFor();
  await checkFits(page, "metrics");
  await checkAccessible(page, "metrics, narrow and dark");
  const empty = await router.channel("empty");
  await page.goto(`${router.url}/#/channels/${empty.id}/metrics`);
  await chart(page, /Response time/).waitFor();
});
