#pragma once
// The console's files, as the build made them, and the routes that serve them.

#include <span>
#include <string_view>

#include "net/http.h"

namespace tailrace {

struct ConsoleFile {
  std::string_view path;  // `/` is the page; names of others change with what they hold
  std::string_view type;
  std::span<const unsigned char> gzip;
};

/// Made by the build from web/console/; empty if it had no Node.
std::span<const ConsoleFile> console_files();

/// `/` and what it loads, for anyone: they hold no secret. Without files `/` is a plain page that says so,
/// with links.
void add_console_routes(HttpRoutes& routes);

}  // namespace tailrace
