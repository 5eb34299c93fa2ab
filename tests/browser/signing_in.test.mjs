// Who may come in, and what he sees then.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { auth, checkAccessible, checkFits, openPage, Router } from "./harness.mjs";

let router;
before(async () => (router = await Router.start()));
after(() => router.stop());

test("the form lets in who has a credential, and nobody else", async (t) => {
  const page = await openPage(t, router, { signIn: false });
  page.expected.push(/401/);
  await page.getByRole("textbox", { name: "User" }).fill(auth.user);
  await page.getByRole("textbox", { name: "Password" }).fill("wrong");
  await checkAccessible(page, "sign-in");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("User or password is wrong.").waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill(auth.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  assert.equal(await page.evaluate(() => document.cookie), "");

  await page.reload();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
  await page.context().addCookies([cookie]);
  await page.reload();
  await page.getByRole("button", { name: "Log in" }).waitFor(); // the old cookie opens nothing any more
});

test("HTTP Basic lets in as well", async (t) => {
  const page = await openPage(t, router, { path: "/login", signIn: false, httpCredentials: { username: auth.user, password: auth.password } });
  await page.getByRole("heading", { name: "Channels" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/");
  assert.equal(await page.getByRole("button", { name: "Log out" }).count(), 0); // the browser goes on sending it
});

test("a credential that may read one channel sees that alone", async (t) => {
  const shop = await router.channel("shop");
  await router.channel("secret");
  const reader = { user: "reader", password: "password-of-reader" };
  await router.api("POST", "/v3/credentials", { id: reader.user, name: "reader", permissions: [`read:${shop.id}`], password: reader.password });
  const page = await openPage(t, router, { who: reader });
  await page.getByRole("link", { name: "shop" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "secret" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "System" }).count(), 0);
  await page.getByRole("link", { name: "shop" }).click();
  await page.getByRole("link", { name: "Drains" }).click();
  assert.equal(await page.getByRole("button", { name: /add|remove/i }).count(), 0);
});

test("it fits a telephone", async (t) => {
  const page = await openPage(t, router, { signIn: false, viewport: { width: 360, height: 740 } });
  await page.getByRole("button", { name: "Log in" }).waitFor();
  await checkFits(page, "sign-in");
});
