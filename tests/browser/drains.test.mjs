// A drain is added after a test, fails, says why, and recovers; records that it lost can be read.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { checkAccessible, checkFits, FarEnd, line, openPage, Router, until } from "./harness.mjs";

let router, far;
before(async () => {
  router = await Router.start();
  far = await FarEnd.start();
});
after(async () => {
  await router.stop();
  await far.stop();
});

test("a drain from its test to its end", async (t) => {
  const channel = await router.channel("app");
  const page = await openPage(t, router, { path: `/#/channels/${channel.id}` });
  await page.getByRole("link", { name: "Drains" }).click();
  await checkAccessible(page, "adding a drain");
  far.mode = 503;
  await page.getByLabel("URL").fill(far.url);
  await page.getByRole("button", { name: "Test and save" }).click();
  await page.getByText(/503/).first().waitFor();
  await page.getByRole("button", { name: "Save anyway" }).waitFor();
  const all = async () => (await router.api("GET", `/v3/channels/${channel.id}/drains`)).drains;
  assert.deepEqual(await all(), []); // nothing before a test that went well
  far.mode = 200;
  await page.getByRole("button", { name: "Test again and save" }).click();
  const [drain] = await until(async () => {
    const made = await all();
    return made.length && made;
  }, "drain");
  const one = page.getByRole("article").first();
  await one.waitFor();

  await router.send(line(channel.app, "web.1", "delivered"));
  await until(async () => /\bok\b/.test(await one.innerText()), "state ok");
  await checkAccessible(page, "drains");

  far.mode = 503;
  await router.send(line(channel.app, "web.1", "waits"));
  await until(async () => {
    const text = await one.innerText();
    return /failing/.test(text) && /503/.test(text) && /Service Unavailable/.test(text);
  }, "failing, and why");
  far.mode = 200;
  await until(async () => !/failing/.test(await one.innerText()), "recovery", 40_000);

  far.mode = 422;
  await router.send(line(channel.app, "web.1", "<script>document.title='taken'</script> unwanted"));
  await until(async () => /refused/.test(await one.innerText()), "loss, by its reason");
  far.mode = 200;
  await page.goto(`${router.url}/#/channels/${channel.id}/drains?drain=${drain.id}`);
  await page.getByText("<script>document.title='taken'</script> unwanted").first().waitFor();
  await checkAccessible(page, "one drain");
  assert.notEqual(await page.title(), "taken");

  await page.getByRole("button", { name: /^Pause/ }).first().click();
  await until(async () => (await router.api("GET", `/v3/channels/${channel.id}/drains/${drain.id}`)).paused, "paused drain");
  await page.getByRole("button", { name: /^Resume/ }).first().click();
  await until(async () => !(await router.api("GET", `/v3/channels/${channel.id}/drains/${drain.id}`)).paused, "resumed drain");

  await page.getByRole("button", { name: /^Remove/ }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /remove/i }).click();
  await until(async () => (await all()).length === 0, "no drain");
});

test("passwords of drains are never shown", async (t) => {
  const channel = await router.channel("secretive");
  await router.drain(channel, far.url.replace("http://", "http://somebody:hunter2-secret@"));
  const page = await openPage(t, router, { path: `/#/channels/${channel.id}/drains` });
  await page.getByRole("article").first().waitFor();
  assert.ok(!(await page.content()).includes("hunter2-secret"));
});

test("narrow and dark; no drains", async (t) => {
  const channel = await router.channel("none");
  const page = await openPage(t, router, { path: `/#/channels/${channel.id}/drains`, viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await page.getByText(/tailrace drains add/).first().waitFor();
  await checkFits(page, "no drains");
  await checkAccessible(page, "no drains");
  await router.drain(channel, far.url);
  await page.getByRole("article").first().waitFor();
  await checkFits(page, "drains");
});

const drainsOf = (channel) => `/#/channels/${channel.id}/drains`;

test("a drain that fails says so in words, is tried again, and recovers", async (t) => {
  const shop = await router.channel("shop");
  far.mode = 503;
  const drain = await router.drain(shop, far.url);
  const page = await openPage(t, router, { path: drainsOf(shop) });
  const article = page.getByRole("article", { name: far.url });
  await article.getByText("never tried yet").waitFor();
  await router.send(line(shop.app, "web.1", "one"));
  await article.getByText(/failing$/).waitFor();
  assert.equal(await article.getByText("503 Service Unavailable").count(), 2); // as the cause, and as the last status
  await article.getByText(/^in \d/).waitFor();
  await article.getByText(/^1 record, /).waitFor();
  await checkAccessible(page, "failing");

  far.mode = 200;
  await article.getByRole("button", { name: "Try now" }).click();
  await article.getByText("200 OK").waitFor();
  await article.getByText(/ok$/).waitFor();

  await article.getByRole("button", { name: `Pause drain ${drain.id}` }).click();
  await article.getByText(/paused$/).waitFor();
  await router.send(line(shop.app, "web.1", "two"));
  await article.getByText(/^1 record, /).waitFor();
  await article.getByRole("button", { name: "Replay" }).click();
  await page.getByRole("radio", { name: "everything" }).check();
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await article.getByText("1 record is sent again.").waitFor();
  await article.getByText(/^2 records, /).waitFor();

  await article.getByRole("button", { name: "Remove" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("2 records that wait for it will not be sent.").waitFor();
  await checkAccessible(page, "removing");
  await dialog.getByRole("button", { name: "Keep it" }).click();
  await article.getByRole("button", { name: "Resume" }).click();
  const history = () => router.api("GET", `/v3/channels/${shop.id}/drains/${drain.id}/health`);
  await until(async () => (await history()).delivered === 3, "three deliveries");
  await article.getByRole("button", { name: "Remove" }).click();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("Nothing is sent from here yet").waitFor();
});

test("a new drain is tried before it is saved, and saved in spite of it by a second click", async (t) => {
  const shop = await router.channel("tried");
  const page = await openPage(t, router, { path: drainsOf(shop) });
  page.expected.push(/422/);
  const url = page.getByRole("textbox", { name: "URL" });
  const form = page.getByRole("form", { name: "New drain" });
  const tryIt = form.getByRole("button", { name: /^Test/ });
  await url.fill("ftp://host/");
  await tryIt.click();
  await page.getByText("A drain takes https://").waitFor();
  assert.equal(await url.getAttribute("aria-invalid"), "true");
  await url.fill(far.url.replace("http://", "http://user:hush-hush@"));
  await page.getByRole("textbox", { name: "Filter" }).fill("status>=");
  await tryIt.click();
  await page.getByText("a number is missing").waitFor();
  await page.getByRole("textbox", { name: "Filter" }).fill("status>=500");
  far.mode = 401;
  await tryIt.click();
  const steps = page.getByRole("list", { name: "Steps of the test" });
  await steps.getByText("401 Unauthorized").waitFor();
  assert.equal(await steps.getByRole("listitem").count(), 3); // resolve, connect, send
  await page.getByText("Check the user and the password").waitFor();
  assert.deepEqual((await router.api("GET", `/v3/channels/${shop.id}/drains`)).drains, []);
  await checkAccessible(page, "a failed test");
  await page.getByRole("button", { name: "Save anyway" }).click();
  await page.getByRole("article", { name: far.url.replace("http://", "http://user:***@") }).waitFor();
  assert.ok(!(await page.content()).includes("hush-hush"));

  far.mode = 200;
  await page.getByRole("button", { name: "Add a drain" }).click();
  await url.fill(far.url);
  await tryIt.click();
  await page.getByText(/^Drain \d+ to .* is added\.$/).waitFor();
  await page.getByRole("article", { name: `: ${far.url}` }).waitFor();
  assert.equal(await page.getByRole("article").count(), 2);
});

test("what a far end refuses for good is shown as the text that it is", async (t) => {
  const shop = await router.channel("refused");
  const refuses = createServer((request, response) => request.resume().on("end", () => response.writeHead(422).end()));
  await new Promise((listening) => refuses.listen(0, "127.0.0.1", listening));
  t.after(() => (refuses.closeAllConnections(), refuses.close()));
  const drain = await router.drain(shop, `http://127.0.0.1:${refuses.address().port}/`);
  await router.send(line(shop.app, "web.1", `<img src=x onerror=alert(1)>\x1b[31m\u202e turned`));
  const page = await openPage(t, router, { path: `${drainsOf(shop)}?drain=${drain.id}` });
  await page.getByText(/<img src=x onerror=alert\(1\)>\\x1b\[31m\\u202e turned/).waitFor();
  await page.getByText("1 refused").first().waitFor();
  await page.getByText("The dead letters show which").waitFor();
  await page.getByRole("img", { name: /^Dropped: at most 1, last refused 1/ }).waitFor();
  await checkAccessible(page, "opened");
  await page.setViewportSize({ width: 360, height: 740 });
  await checkFits(page, "opened, on a telephone");
});

test("a reader sees how drains are, and nothing that changes them", async (t) => {
  const shop = await router.channel("read");
  const reader = { user: "reader-of-drains", password: "password-of-reader" };
  await router.api("POST", "/v3/credentials", { id: reader.user, permissions: [`read:${shop.id}`], password: reader.password });
  await router.drain(shop, far.url);
  const page = await openPage(t, router, { path: drainsOf(shop), who: reader });
  await page.getByRole("article", { name: far.url }).getByText("never tried yet").waitFor();
  assert.equal(await page.getByRole("button", { name: /add|remove|pause|resume|replay|test/i }).count(), 0);
});
