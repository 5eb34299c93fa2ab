// docs/console.md, "From the overview to the cause", click by click, on the demo itself.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { openPage, until } from "./harness.mjs";

test("which app is slow, since when, on which dyno, and which drain lost records, and why", async (t) => {
  const demo = spawn(process.env.TAILRACE_BINARY, ["demo", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "127.0.0.1:0"], {
    env: { PATH: process.env.PATH, TAILRACE_AUTH: "local:password" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => new Promise((ended) => (demo.once("exit", ended), demo.kill("SIGINT"))));
  let said = "";
  demo.stdout.on("data", (bytes) => (said += bytes));
  const [, url, user, password] = await until(() => /console +(\S+)\/ +\(log in with (\S+):(\S+)\)/.exec(said), "address of the console", 60_000);
  const began = Date.now();
  const page = await openPage(t, { url }, { who: { user, password } });
  const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name }) });

  await row("shop").getByRole("link", { name: "slow" }).waitFor();
  const sentence = row("shop").getByRole("listitem").filter({ hasText: "slow" });
  assert.match(await sentence.innerText(), /p95 \d.* s, slow since \d\d:\d\d \(2\d min\), worst web\.3 /);
  await until(async () => /records? lost \(refused\)/.test(await row("blog").innerText()), "loss", 60_000);

  await sentence.getByRole("link").click();
  await page.getByRole("img", { name: /Response time/ }).waitFor();
  await page.getByText(/Deploy 4f2a91c8/).first().waitFor();
  const slowest = page.locator("[data-dyno]").first();
  assert.equal(await slowest.getAttribute("data-dyno"), "web.3");

  await slowest.getByRole("link", { name: "web.3" }).click();
  await page.getByRole("log").getByRole("listitem").filter({ hasText: "dyno=web.3" }).first().waitFor();
  assert.equal(await page.getByRole("log").getByRole("listitem").filter({ hasText: "dyno=web.4" }).count(), 0);

  await page.getByRole("link", { name: "overview" }).click();
  await row("blog").getByRole("link", { name: "records lost" }).click();
  await page.getByRole("article").getByText(/refused/).first().waitFor();
  await page.getByRole("button", { name: /^Details/ }).first().click();
  await page.getByText("422").first().waitFor();
  console.log(`found in ${((Date.now() - began) / 1000).toFixed(1)} s, signing in included`);
});
