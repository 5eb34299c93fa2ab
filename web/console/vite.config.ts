import { defineConfig } from "vite";

// `npm run dev` shows the page with a router that runs: TAILRACE_URL, its admin listener. With TAILRACE_AUTH one is signed in.
const router = process.env.TAILRACE_URL ?? "http://127.0.0.1:8001";
const auth = process.env.TAILRACE_AUTH;
const proxied = {
  target: router,
  changeOrigin: true, // the router compares Origin with Host
  headers: { "sec-fetch-site": "same-origin", origin: router, ...(auth ? { authorization: `Basic ${btoa(auth)}` } : {}) },
};

declare const process: { env: Record<string, string | undefined> };

export default defineConfig({
  base: "/",
  build: {
    outDir: process.env.TAILRACE_CONSOLE_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2021",
    assetsInlineLimit: 0, // the page's policy has no data: but for images
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/v2": proxied, "/v3": proxied, "/sessions": proxied, "/links": proxied } },
});
