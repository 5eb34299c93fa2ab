#pragma once
// What `drains add` was told: its flags, and the JSON that the API takes.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tailrace {

/// What its options mean is the server's to judge; files are read here.
struct DrainWanted {
  std::string url, filter, format, since, batch_bytes, batch_delay;
  std::vector<std::string> headers;                            // `Name: value`, or `@FILE` with such lines
  std::string signing_secret_file, tls_ca, tls_cert, tls_key;  // paths
  bool gzip = false, zstd = false;

  void add_to(CLI::App& options);
  /// None: `wrong` says what, never a value.
  std::optional<nlohmann::ordered_json> json(std::string& wrong) const;
};

}  // namespace tailrace
