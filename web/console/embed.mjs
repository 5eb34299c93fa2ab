// embed.mjs DIST OUT.cpp: what Vite made, as one C++ file: each file compressed, with its type.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const most = 200_000; // bytes, compressed, of all together
const [dist, out] = process.argv.slice(2);

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();
let bytes = 0;
let arrays = "";
let table = "";
files.forEach((file, i) => {
  const path = relative(dist, file).split(sep).join("/");
  const type = types[extname(file)];
  if (!type) throw new Error(`${path}: of no known type`);
  const packed = gzipSync(readFileSync(file), { level: 9 });
  bytes += packed.length;
  arrays += `constexpr unsigned char kFile${i}[] = {${packed.join(",")}};\n`;
  table += `    {"/${path === "index.html" ? "" : path}", "${type}", kFile${i}},\n`;
});
if (bytes > most) throw new Error(`the console is ${bytes} bytes compressed; ${most} is the most`);
console.log(`console: ${files.length} files, ${bytes} bytes compressed`);
writeFileSync(
  out,
  `// Made by web/console/embed.mjs.
#include "web/console_page.h"

namespace tailrace {
namespace {

// clang-format off
${arrays}
constexpr ConsoleFile kFiles[] = {
${table}};
// clang-format on

}  // namespace

std::span<const ConsoleFile> console_files() {
  return kFiles;
}

}  // namespace tailrace
`,
);
