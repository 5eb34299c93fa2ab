#include "cli/drain_wanted.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/settings.h"

namespace tailrace {

namespace {

/// Each field on its own; those of files are nowhere in the list of processes.
std::optional<std::vector<std::string>> header_lines(const std::vector<std::string>& given,
                                                     std::string& wrong) {
  std::vector<std::string> lines;
  for (const std::string& header : given) {
    if (!header.starts_with('@')) {
      lines.push_back(header);
      continue;
    }
    const auto file = read_small_file(header.substr(1));
    if (!file) {
      wrong = header.substr(1) + ": cannot be read";
      return std::nullopt;
    }
    for_each_piece(*file, '\n', [&](std::string_view line) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) lines.emplace_back(line);
    });
  }
  return lines;
}

}  // namespace

void DrainWanted::add_to(CLI::App& o) {
  o.add_option("DRAIN_URL", url, "where to send; - reads it from stdin")->required();
  o.add_option("--filter", filter, "only records for which it holds")->type_name("TERMS");
  o.add_option("--format", format, "logplex or rfc5424 [logplex]")
      ->type_name("FORM")
      ->check(CLI::IsMember({"logplex", "rfc5424"}));
  o.add_option("--since", since, "begins with what is kept: 15m, a time, or oldest")->type_name("WHEN");
  o.add_flag("--gzip", gzip, "compressed bodies (http)");
  o.add_flag("--zstd", zstd, "the same, with zstd");
  o.add_option("--header", headers,
               "a further field of each request, or @FILE with a line for each; again for more (http)")
      ->type_name("'N: V'")
      ->allow_extra_args(false);
  o.add_option("--batch-bytes", batch_bytes, "how large a body may grow, 1K to 8M [1M] (http)")
      ->type_name("SIZE");
  o.add_option("--batch-delay", batch_delay, "how long it may wait to become full [0s] (http)")
      ->type_name("TIME");
  o.add_option("--signing-secret-file", signing_secret_file, "requests are signed with what it holds (http)")
      ->type_name("FILE");
  o.add_option("--tls-ca", tls_ca, "PEM of the authorities to trust, instead of the system's")
      ->type_name("FILE");
  o.add_option("--tls-cert", tls_cert, "PEM of our own certificate")->type_name("FILE");
  o.add_option("--tls-key", tls_key, "PEM of its key")->type_name("FILE");
}

std::optional<nlohmann::ordered_json> DrainWanted::json(std::string& wrong) const {
  nlohmann::ordered_json out{{"url", url}};
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  const auto file = [&](const char* name, const std::string& path) {
    if (path.empty()) return;
    auto read = read_small_file(path);
    if (!read) {
      wrong = path + ": cannot be read";
      return;
    }
    out[name] = std::move(*read);
  };
  text("filter", filter);
  text("format", format);
  text("since", since);
  if (gzip) out["gzip"] = true;
  if (zstd) out["zstd"] = true;
  const auto given = header_lines(headers, wrong);
  if (!given) return std::nullopt;
  for (const std::string& header : *given) {
    const size_t colon = header.find(':');
    if (colon == header.npos || colon == 0) {
      wrong = "--header takes 'Name: value'";
      return std::nullopt;
    }
    const size_t value = header.find_first_not_of(' ', colon + 1);
    const auto [at, is_new] =
        out["headers"].emplace(header.substr(0, colon), value == header.npos ? "" : header.substr(value));
    if (!is_new) {
      wrong = "--header: the same name twice";
      return std::nullopt;
    }
  }
  text("batch_bytes", batch_bytes);
  text("batch_delay", batch_delay);
  file("signing_secret", signing_secret_file);
  if (const auto secret = out.find("signing_secret"); secret != out.end()) {
    std::string trimmed = *secret;
    while (trimmed.ends_with('\n') || trimmed.ends_with('\r')) trimmed.pop_back();
    *secret = trimmed;
  }
  file("tls_ca", tls_ca);
  file("tls_cert", tls_cert);
  file("tls_key", tls_key);
  if (!wrong.empty()) return std::nullopt;
  return out;
}

}  // namespace tailrace
