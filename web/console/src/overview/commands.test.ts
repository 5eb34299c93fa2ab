import { expect, it } from "vitest";
import { createChannel, sendByCurl, sendByLogger } from "./commands";

const where = { origin: "https://logs.example.com:8443", hostname: "logs.example.com" };

it("names the origin that the page came from", () => {
  expect(createChannel(where)).toContain("https://logs.example.com:8443/channels ");
  expect(sendByCurl(where)).toMatch(/https:\/\/logs\.example\.com:8443\/logs$/);
});
it("gives logger a host without brackets", () => {
  expect(sendByLogger({ ...where, hostname: "[::1]" })).toContain("--server ::1 --port 6001");
});
