// A drain is added after a test, fails, says why, and recovers; records that it lost can be read.
import assert from "node:assert/strict";
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
