#include "drains/target.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "net/client_tls.h"

namespace tailrace {
namespace {

constexpr std::array<std::string_view, 11> kLaterSchemes{"loki+https",
                                                         "loki+http",
                                                         "otlp+https",
                                                         "otlp+http",
                                                         "elasticsearch+https",
                                                         "elasticsearch+http",
                                                         "splunk+https",
                                                         "splunk+http",
                                                         "kafka",
                                                         "s3+https",
                                                         "file"};

JudgedTarget refuse(std::string reason) {
  return {{}, {}, std::move(reason)};
}

using Kind = DrainTarget::Kind;

/// Where it goes and as whom; `query` is what the far end shall see of it.
void fill_in(const Url& url, const std::string& query, DrainTarget& target) {
  target.host = url.host;
  if (url.port) target.port = url.port;
  target.host_header = url.authority();
  target.request_path = url.path.empty() ? "/" : url.path;
  if (!query.empty()) target.request_path += "?" + query;
  if (!url.user.empty() || !url.password.empty())
    target.authorization = "Basic " + to_base64(url.user + ":" + url.password);
}

/// Options whose values in a URL may be shown.
const std::vector<std::string_view>& shown_in_url() {
  static const auto names = [] {
    std::vector<std::string_view> all = drain_url_options();
    std::erase(all, "headers");
    return all;
  }();
  return names;
}

/// What is wrong with the options of a URL's query, or nothing.
std::string take_query(const Url& url, bool http, bool tls, DrainOptions& into) {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : url.query) {
    const std::optional<std::string> error = take_url_option(name, value, into);
    if (!error) continue;
    if (!error->empty()) return *error;
    if (std::string misplaced = misplaced_option(name, http, tls); !misplaced.empty()) return misplaced;
    if (name != "headers" && std::ranges::find(seen, name) != seen.end()) return name + ": stands twice";
    seen.push_back(name);
  }
  return {};
}

/// The same of DrainEntry::options, over what is there.
std::string take_stored(std::string_view stored, bool http, bool tls, DrainOptions& into) {
  if (stored.empty()) return {};
  const nlohmann::json object = nlohmann::json::parse(stored, nullptr, false);
  if (std::string error = take_json_options(object, into); !error.empty()) return error;
  for (const auto& [name, value] : object.items())
    if (std::string misplaced = misplaced_option(name, http, tls); !misplaced.empty() && !value.is_null())
      return misplaced;
  return {};
}

}  // namespace

JudgedTarget judge_drain(std::string_view text, std::string_view options, const AddressPolicy& policy) {
  if (text.starts_with("file:")) return refuse("file: not built yet");
  const Result<Url> parsed = parse_url(text);
  if (parsed.has_error()) return refuse("invalid_uri");
  const Url& url = *parsed;

  JudgedTarget judged;
  DrainTarget& target = judged.target;
  if (url.scheme == "syslog")
    target.kind = Kind::syslog, target.port = 601;
  else if (url.scheme == "syslog+tls")
    target.kind = Kind::syslog_tls, target.port = 6514;
  else if (url.scheme == "http")
    target.kind = Kind::http, target.port = 80;
  else if (url.scheme == "https")
    target.kind = Kind::https, target.port = 443;
  else if (std::ranges::find(kLaterSchemes, url.scheme) != kLaterSchemes.end())
    return refuse(url.scheme + ": not built yet");
  else
    return refuse("unknown_scheme: " + url.scheme);

  const bool http = target.is_http(), tls = target.is_tls();
  DrainOptions& chosen = judged.options;
  if (std::string error = take_query(url, http, tls, chosen); !error.empty()) return refuse(error);
  if (std::string error = take_stored(options, http, tls, chosen); !error.empty()) return refuse(error);
  if (std::string error = client_tls_trouble(chosen.tls_ca, chosen.tls_cert, chosen.tls_key); !error.empty())
    return refuse(error);
  const bool signs_in = !url.user.empty() || !url.password.empty();
  if (signs_in &&
      std::ranges::any_of(chosen.headers, [](const auto& h) { return iequals(h.first, "authorization"); }))
    return refuse("headers: Authorization is there already, from the URL's user");
  const std::string query = url.query_without(drain_url_options());
  if (url.host_is_literal) {
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(url.host, ec);
    if (ec || !policy.allows(address)) return refuse("address not allowed");
  }
  if (!http && (url.path.size() > 1 || !query.empty())) return refuse("invalid_tcpsyslog_uri");

  fill_in(url, query, target);
  target.shown = redacted(url, shown_in_url());
  return judged;
}

JudgedTarget judge_sender(std::string_view text) {
  const Result<Url> url = parse_url(text);
  if (url.has_error()) return refuse("invalid_uri");
  JudgedTarget judged;
  if (url->scheme == "http")
    judged.target.kind = Kind::http, judged.target.port = 80;
  else if (url->scheme == "https")
    judged.target.kind = Kind::https, judged.target.port = 443;
  else
    return refuse("unknown_scheme: " + url->scheme);
  fill_in(*url, url->query_text, judged.target);
  judged.target.shown = redacted(*url, {});
  return judged;
}

std::string shown_drain_url(std::string_view text) {
  if (text.empty()) return {};
  const Result<Url> url = parse_url(text);
  return url ? redacted(*url, shown_in_url()) : std::string("***");
}

}  // namespace tailrace
