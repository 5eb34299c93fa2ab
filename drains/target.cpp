#include "drains/target.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"

namespace tailrace {
namespace {

// The contract's options of a drain (section 6): none of them is built yet. Their values may be shown.
const std::vector<std::string_view> kOptions{"format",  "filter",      "gzip",       "zstd",
                                             "headers", "batch_bytes", "batch_delay"};
constexpr std::array<std::string_view, 12> kLaterSchemes{
    "syslog+tls",         "loki+https",   "loki+http",   "otlp+https", "otlp+http", "elasticsearch+https",
    "elasticsearch+http", "splunk+https", "splunk+http", "kafka",      "s3+https",  "file"};

JudgedTarget refuse(std::string reason) {
  return {{}, {}, std::move(reason)};
}

}  // namespace

JudgedTarget judge_drain(std::string_view text, std::string_view options, const AddressPolicy& policy) {
  if (!options.empty()) return refuse("options: not built yet");
  if (text.starts_with("file:")) return refuse("file: not built yet");
  const Result<Url> parsed = parse_url(text);
  if (parsed.has_error()) return refuse("invalid_uri");
  const Url& url = *parsed;

  JudgedTarget judged;
  DrainTarget& target = judged.target;
  using Kind = DrainTarget::Kind;
  if (url.scheme == "syslog")
    target.kind = Kind::syslog, target.port = 601;
  else if (url.scheme == "http")
    target.kind = Kind::http, target.port = 80;
  else if (url.scheme == "https")
    target.kind = Kind::https, target.port = 443;
  else if (std::ranges::find(kLaterSchemes, url.scheme) != kLaterSchemes.end())
    return refuse(url.scheme + ": not built yet");
  else
    return refuse("unknown_scheme: " + url.scheme);

  for (const auto& [name, value] : url.query)
    if (std::ranges::find(kOptions, name) != kOptions.end()) return refuse(name + ": not built yet");
  if (url.host_is_literal) {
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(url.host, ec);
    if (ec || !policy.allows(address)) return refuse("address not allowed");
  }
  if (target.kind == Kind::syslog && (url.path.size() > 1 || !url.query_text.empty()))
    return refuse("invalid_tcpsyslog_uri");

  target.host = url.host;
  if (url.port) target.port = url.port;
  target.host_header = url.authority();
  target.request_path = url.path.empty() ? "/" : url.path;
  if (!url.query_text.empty()) target.request_path += "?" + url.query_text;
  if (!url.user.empty() || !url.password.empty())
    target.authorization = "Basic " + to_base64(url.user + ":" + url.password);
  target.shown = redacted(url, kOptions);
  return judged;
}

std::string shown_drain_url(std::string_view text) {
  if (text.empty()) return {};
  const Result<Url> url = parse_url(text);
  return url ? redacted(*url, kOptions) : std::string("***");
}

}  // namespace tailrace
