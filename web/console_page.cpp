#include "web/console_page.h"

#include <zlib.h>

#include <stdexcept>
#include <string>

#include "web/gzip.h"

namespace tailrace {
namespace {

constexpr std::string_view kPlainPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tailrace</title>
<h1>Tailrace</h1>
<p>This router was built without its console: the build had no Node. What the console shows can be had here:</p>
<ul>
<li><a href="/v3/overview">/v3/overview</a>: every channel, worst first (asks for a credential)
<li><a href="/v3/channels">/v3/channels</a>: the channels
<li><a href="/v3/ledger">/v3/ledger</a>: what became of each record
<li><a href="/v3/system">/v3/system</a>: the process
<li><a href="/metrics">/metrics</a>: for Prometheus
<li><a href="/openapi.json">/openapi.json</a>: every route
<li><a href="/readyz">/readyz</a>: whether it is ready
</ul>
<p>On a terminal: <code>tailrace top</code>, <code>tailrace logs -t</code>, <code>tailrace drains health</code>.</p>
</html>
)";

/// The page runs its own files and talks to its own origin; strings become neither script nor markup.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

std::string inflated(std::span<const unsigned char> gzip) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  stream.next_in = const_cast<unsigned char*>(gzip.data());
  stream.avail_in = uInt(gzip.size());
  std::string out;
  int ended = Z_OK;
  while (ended == Z_OK) {
    const size_t had = out.size();
    out.resize(had + (64 << 10));
    stream.next_out = reinterpret_cast<unsigned char*>(out.data() + had);
    stream.avail_out = 64 << 10;
    ended = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (ended != Z_STREAM_END) throw std::logic_error("the console's files are no gzip");
  return out;
}

HttpResponse file_answer(const HttpRequest& request, const ConsoleFile& file, const std::string& plain) {
  const bool page = file.path == "/";
  HttpFields fields{{"X-Content-Type-Options", "nosniff"},
                    {"Content-Security-Policy", kPolicy},
                    {"Referrer-Policy", "no-referrer"},
                    {"Cross-Origin-Opener-Policy", "same-origin"},
                    {"Cross-Origin-Resource-Policy", "same-origin"},
                    {"Vary", "Accept-Encoding"},
                    {"Cache-Control", page ? "no-cache" : "public, max-age=31536000, immutable"}};
  if (file.gzip.empty() || !accepts_gzip(request.headers.list("accept-encoding")))
    return {200, std::string(file.type), plain, std::move(fields)};
  fields.add("Content-Encoding", "gzip");
  return {200, std::string(file.type), {file.gzip.begin(), file.gzip.end()}, std::move(fields)};
}

void add_file(HttpRoutes& routes, const ConsoleFile& file, std::string plain) {
  routes.add("GET", std::string(file.path), [file, plain = std::move(plain)](HttpExchange& exchange) {
    HttpResponse response = file_answer(exchange.request, file, plain);
    return exchange.respond(std::move(response));
  });
}

}  // namespace

void add_console_routes(HttpRoutes& routes) {
  for (const ConsoleFile& file : console_files()) add_file(routes, file, inflated(file.gzip));
  if (console_files().empty())
    add_file(routes, {.path = "/", .type = "text/html; charset=utf-8", .gzip = {}}, std::string(kPlainPage));
}

}  // namespace tailrace
