// screenshots.mjs DIR: the pictures of docs/console.md, from a demo that has run for a minute. Needs TAILRACE_BINARY.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { until } from "./harness.mjs";

const [dir = "."] = process.argv.slice(2);
mkdirSync(dir, { recursive: true });
const demo = spawn(process.env.TAILRACE_BINARY, ["demo", "--http-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--syslog-listen", "127.0.0.1:0"], {
  env: { ...process.env, TAILRACE_AUTH: "local:password" },
  stdio: ["ignore", "pipe", "inherit"],
});
let said = "";
demo.stdout.on("data", (bytes) => (said += bytes));
const url = await until(() => /console +(\S+\/)/.exec(said)?.[1], "demo");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(options) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: "light", ...options })).newPage();
  await page.goto(url);
  await page.getByRole("textbox", { name: "User" }).fill("local");
  await page.getByRole("textbox", { name: "Password" }).fill("password");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("link", { name: "shop" }).waitFor();
  return page;
}
const settled = (page) => page.waitForTimeout(2500); // polls are two seconds apart
const shoot = (page, name) => page.screenshot({ path: join(dir, `${name}.png`) });

const page = await open();
await page.waitForTimeout(62_000); // figures of the last minute are without the past that the demo made
await until(async () => /lost/.test(await page.getByRole("row").nth(1).innerText()), "loss", 90_000);
await settled(page);
await shoot(page, "overview");

await page.getByRole("link", { name: "slow" }).click();
await page.getByRole("img", { name: /Response time/ }).waitFor();
await settled(page);
await shoot(page, "metrics");

await page.getByRole("link", { name: "web.3" }).first().click();
await page.getByRole("listitem").first().waitFor();
await settled(page);
await shoot(page, "logs");

await page.goto(`${url}#/`);
await page.getByRole("link", { name: "records lost" }).first().click();
await page.getByRole("button", { name: /^Details/ }).first().click();
await settled(page);
await shoot(page, "drain");

const dark = await open({ colorScheme: "dark" });
await dark.goto(`${url}#/system`);
await settled(dark);
await shoot(dark, "system");

const narrow = await open({ viewport: { width: 360, height: 740 } });
await settled(narrow);
await shoot(narrow, "narrow");

await browser.close();
demo.kill("SIGINT");
