// From the overview: which app is slow, since when, on which dyno, and which drain lost records, and why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessible, checkFits, FarEnd, line, openPage, Router, routerLine, until } from "./harness.mjs";

let router, far, shop, blog, drain;

/** Minutes ago, in the middle of one. */
const ago = (minutes) => new Date(Math.floor(Date.now() / 60_000 - minutes) * 60_000 + 30_000);

before(async () => {
  router = await Router.start("--router-by", "dyno");
  far = await FarEnd.start();
  shop = await router.channel("shop");
  blog = await router.channel("blog");
  drain = await router.drain(blog, far.url);
  const slow = [...Array(12).keys()].flatMap((minute) => [
    ...Array.from({ length: 20 }, () => routerLine(shop.heroku, { time: ago(minute) })),
    ...Array.from({ length: 5 }, () => routerLine(shop.heroku, { time: ago(minute), service: 4900, dyno: "web.3" })),
  ]);
  const healthy = Array.from({ length: 30 }, () => routerLine(shop.heroku, { time: ago(14) }));
  await router.send([...healthy, ...slow]);
  await router.send(Array.from({ length: 30 }, () => routerLine(blog.heroku)));
  await until(() => far.posts, "post");
  far.mode = 422;
  await router.send(line(blog.app, "web.1", "a record that its far end does not want"));
  await until(async () => (await router.api("GET", `/v3/channels/${blog.id}/drains/${drain.id}/health`)).dropped.refused === 1, "loss");
  far.mode = 200;
});
after(async () => {
  await router.stop();
  await far.stop();
});

test("the slow app, since when, and the dyno; the drain that lost records, and why", async (t) => {
  const page = await openPage(t, router);
  const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name }) });
  const told = await until(async () => {
    const text = await row("shop").innerText();
    return /slow since .*web\.3/s.test(text) && text;
  }, "slow app");
  assert.match(told, /p95 4\.9\d? s/);
  const since = await row("shop").locator("li", { hasText: "slow" }).locator("time").getAttribute("datetime");
  assert.equal(Math.floor(Date.parse(since) / 60_000), Math.floor(ago(11) / 60_000));
  await until(async () => /1 records? lost \(refused\)/.test(await row("blog").innerText()), "loss in the overview");
  const names = await page.getByRole("rowheader").allInnerTexts();
  assert.deepEqual(names.map((name) => name.split(/\s/)[0]), ["blog", "shop"]); // a loss is worse than slowness
  await checkAccessible(page, "overview");

  await row("shop").getByRole("link", { name: "slow" }).click();
  await page.getByRole("img", { name: /Response time/ }).waitFor();
  await page.getByText("web.3").first().waitFor();
  await page.getByRole("link", { name: "Tailrace" }).click();
  await row("blog").getByRole("link", { name: /lost/ }).click();
  await page.getByText(/422/).first().waitFor();
});

test("search, orders and their place in the URL", async (t) => {
  const page = await openPage(t, router);
  await page.getByRole("link", { name: "shop" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("blo");
  await page.getByRole("link", { name: "shop" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "blog" }).waitFor();
  assert.match(page.url(), /search=blo/);
  const other = await openPage(t, router, { path: `/${new URL(page.url()).hash}` });
  await other.getByRole("link", { name: "blog" }).waitFor();
  assert.equal(await other.getByRole("link", { name: "shop" }).count(), 0);
});

test("ten thousand channels: a page of rows, and it scrolls through all", async (t) => {
  const many = await Router.start();
  t.after(() => many.stop());
  for (let i = 0; i < 10_000; i += 50)
    await Promise.all(Array.from({ length: 50 }, (_, n) => many.api("POST", "/channels", { name: `app-${i + n}`, tokens: ["app"] })));
  await many.send(line((await many.channel("busy")).app, "web.1", "hello"));
  const page = await openPage(t, many);
  await page.getByRole("link", { name: "busy" }).waitFor();
  await page.getByText("10,001").first().waitFor();
  const rows = () => page.getByRole("rowheader").count();
  assert.ok((await rows()) < 200, `${await rows()} rows`);
  const before = await page.getByRole("rowheader").last().innerText();
  await page.getByRole("rowheader").first().hover();
  await page.mouse.wheel(0, 200_000);
  await until(async () => {
    const texts = await page.getByRole("rowheader").allInnerTexts();
    return texts.length > 5 && texts.length < 200 && texts.every((text) => text !== "…") && !texts.includes(before);
  }, "rows further down");
});

test("the first run shows how to send a record, and then goes on", async (t) => {
  const fresh = await Router.start();
  t.after(() => fresh.stop());
  const page = await openPage(t, fresh);
  await page.getByText(/curl .*\/channels/s).first().waitFor();
  await checkAccessible(page, "first run");
  const made = await fresh.channel("first");
  await fresh.send(line(made.app, "web.1", "hello"));
  await page.getByRole("link", { name: "first" }).waitFor();
});

test("narrow, dark", async (t) => {
  const page = await openPage(t, router, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await page.getByRole("link", { name: "shop" }).waitFor();
  await checkFits(page, "overview");
  await checkAccessible(page, "overview, narrow and dark");
  await page.goto(`${router.url}/#/system`);
  await page.getByText(/accepted/).first().waitFor();
  await checkFits(page, "system");
  await checkAccessible(page, "system, narrow and dark");
});
