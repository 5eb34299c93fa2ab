#include "drains/options.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time_text.h"
#include "drains/filter.h"
#include "drains/signature.h"

namespace tailrace {
namespace {

using nlohmann::json;

// ---- the table -------------------------------------------------------------------------------------------

enum class Where : uint8_t { anywhere, in_json };         // where it may stand
enum class Kinds : uint8_t { all, http, tls };            // which drains have it
enum class Shape : uint8_t { text, size, flag, fields };  // of its JSON value, beside a string

struct Option {
  std::string_view name, takes;
  Where where = Where::anywhere;
  Kinds kinds = Kinds::all;
  Shape shape = Shape::text;
};

constexpr std::array<Option, 11> kOptions{{
    {"format", "logplex or rfc5424"},
    {"filter", "a text"},
    {"gzip", "1 or 0", Where::anywhere, Kinds::http, Shape::flag},
    {"zstd", "1 or 0", Where::anywhere, Kinds::http, Shape::flag},
    {"headers", R"(NAME:VALUE in a URL, {"NAME":"VALUE"} in JSON)", Where::anywhere, Kinds::http,
     Shape::fields},
    {"batch_bytes", "1K to 8M", Where::anywhere, Kinds::http, Shape::size},
    {"batch_delay", "0s to 60s", Where::anywhere, Kinds::http},
    {"signing_secret", "16 to 256 characters", Where::in_json, Kinds::http},
    {"tls_ca", "PEM", Where::in_json, Kinds::tls},
    {"tls_cert", "PEM", Where::in_json, Kinds::tls},
    {"tls_key", "PEM", Where::in_json, Kinds::tls},
}};

const Option* find_option(std::string_view name) {
  const auto it = std::ranges::find(kOptions, name, &Option::name);
  return it == kOptions.end() ? nullptr : &*it;
}

std::string wrong(const Option& option) {
  return std::string(option.name) + ": takes " + std::string(option.takes);
}

// ---- headers ---------------------------------------------------------------------------------------------

constexpr size_t kMostHeaders = 16, kMostHeaderBytes = 8 * 1024;

/// What the drain sets itself, what frames the message, and what is between us and the next hop alone.
constexpr std::array<std::string_view, 16> kOurHeaders{"Host",
                                                       "Connection",
                                                       "Keep-Alive",
                                                       "Proxy-Connection",
                                                       "TE",
                                                       "Trailer",
                                                       "Transfer-Encoding",
                                                       "Upgrade",
                                                       "Expect",
                                                       "Content-Length",
                                                       "Content-Type",
                                                       "Content-Encoding",
                                                       "User-Agent",
                                                       "Proxy-Authorization",
                                                       "HTTP2-Settings",
                                                       "Content-Range"};
constexpr std::array<std::string_view, 2> kOurPrefixes{"Logplex-", "webhook-"};

bool is_token(std::string_view text) {  // RFC 9110 section 5.6.2
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
  });
}

bool is_ours(std::string_view name) {
  return std::ranges::any_of(kOurHeaders, [&](std::string_view ours) { return iequals(ours, name); }) ||
         std::ranges::any_of(kOurPrefixes, [&](std::string_view prefix) {
           return iequals(prefix, name.substr(0, prefix.size()));
         });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Neither names nor values stand in what it says: either may be a secret in the wrong place.
std::string take_header(std::string_view name, std::string_view value, DrainOptions& into) {
  value = trimmed(value);
  if (!is_token(name)) return "headers: a name is letters, digits and -, as RFC 9110 has it";
  if (is_ours(name)) return "headers: one of them is the drain's own to set";
  if (!std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; }))
    return "headers: a value takes visible ASCII and blanks";
  size_t bytes = name.size() + value.size() + 4;
  for (const auto& [other, its] : into.headers) {
    if (iequals(other, name)) return "headers: one of them stands twice";
    bytes += other.size() + its.size() + 4;
  }
  if (into.headers.size() == kMostHeaders) return "headers: takes 16 at most";
  if (bytes > kMostHeaderBytes) return "headers: takes 8K at most together";
  into.headers.emplace_back(name, value);
  return {};
}

// ---- values ----------------------------------------------------------------------------------------------

std::optional<bool> flag_of(std::string_view text) {
  if (text.empty() || text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return std::nullopt;
}

void set_encoding(DrainOptions::Encoding encoding, bool on, DrainOptions& into) {
  if (on)
    into.encoding = encoding;
  else if (into.encoding == encoding)
    into.encoding = DrainOptions::Encoding::identity;
}

DrainOptions::Encoding encoding_of(const Option& option) {
  return option.name == "gzip" ? DrainOptions::Encoding::gzip : DrainOptions::Encoding::zstd;
}

std::string take_secret(const Option& option, std::string_view text, DrainOptions& into) {
  if (text.starts_with("whsec_") && !is_signing_secret(text))
    return "signing_secret: base64 of 16 bytes or more behind whsec_, 256 characters at most";
  if (!is_signing_secret(text)) return wrong(option);
  into.signing_secret = text;
  return {};
}

std::string take_filter(std::string_view text, DrainOptions& into) {
  ParsedFilter parsed;
  if (!text.empty()) parsed = parse_filter(text);
  into.filter = text;
  into.wanted = parsed.filter;
  return parsed.error;
}

/// Any option but `headers`, from its text.
std::string take_text(const Option& option, std::string_view text, DrainOptions& into) {
  if (option.name == "format") {
    if (text != "logplex" && text != "rfc5424") return wrong(option);
    into.format = text == "logplex" ? DrainOptions::Format::logplex : DrainOptions::Format::rfc5424;
  } else if (option.shape == Shape::flag) {
    const std::optional<bool> on = flag_of(text);
    if (!on) return wrong(option);
    set_encoding(encoding_of(option), *on, into);
  } else if (option.name == "filter") {
    return take_filter(text, into);
  } else if (option.name == "batch_bytes") {
    const std::optional<uint64_t> bytes = parse_size(text);
    if (!bytes || *bytes < 1024 || *bytes > 8u << 20) return wrong(option);
    into.batch_bytes = *bytes;
  } else if (option.name == "batch_delay") {
    const auto delay = parse_duration(text);
    if (!delay || *delay > std::chrono::seconds(60)) return wrong(option);
    into.batch_delay = *delay;
  } else if (option.name == "signing_secret") {
    return take_secret(option, text, into);
  } else {  // judged by judge_drain, all three together
    (option.name == "tls_ca" ? into.tls_ca : option.name == "tls_cert" ? into.tls_cert : into.tls_key) = text;
  }
  return {};
}

/// A JSON value as the text that a URL would have.
std::optional<std::string> text_of(const Option& option, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() && option.shape == Shape::flag) return value.get<bool>() ? "1" : "0";
  if (value.is_number_unsigned() && (option.shape == Shape::flag || option.shape == Shape::size))
    return std::to_string(value.get<uint64_t>());
  return std::nullopt;
}

std::string take_json_headers(const Option& option, const json& value, DrainOptions& into) {
  if (!value.is_object()) return wrong(option);
  into.headers.clear();
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return wrong(option);
    if (std::string error = take_header(name, text.get<std::string>(), into); !error.empty()) return error;
  }
  return {};
}

std::string take_json(const Option& option, const json& value, DrainOptions& into) {
  if (option.shape == Shape::fields) return take_json_headers(option, value, into);
  const std::optional<std::string> text = text_of(option, value);
  return text ? take_text(option, *text, into) : wrong(option);
}

/// The option's value, if the object has one.
const json* value_in(const json& object, std::string_view name) {
  const auto it = object.find(std::string(name));
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

bool turns_on(const json& object, std::string_view name) {
  const json* value = value_in(object, name);
  const std::optional<std::string> text = value ? text_of(*find_option(name), *value) : std::nullopt;
  return text && flag_of(*text).value_or(false);
}

std::vector<std::string_view> names_of(bool in_url) {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions)
    if (!in_url || option.where == Where::anywhere) names.push_back(option.name);
  return names;
}

}  // namespace

const std::vector<std::string_view>& drain_url_options() {
  static const std::vector<std::string_view> names = names_of(true);
  return names;
}

const std::vector<std::string_view>& drain_json_options() {
  static const std::vector<std::string_view> names = names_of(false);
  return names;
}

std::string misplaced_option(std::string_view name, bool http, bool tls) {
  const Option* option = find_option(name);
  if (!option) return {};
  if (option->kinds == Kinds::http && !http) return std::string(name) + ": takes a drain of http or https";
  if (option->kinds == Kinds::tls && !tls) return std::string(name) + ": takes a drain with TLS";
  return {};
}

std::optional<std::string> take_url_option(std::string_view name, std::string_view value,
                                           DrainOptions& into) {
  const Option* option = find_option(name);
  if (!option) return std::nullopt;
  if (option->where == Where::in_json) return std::string(name) + ": stands in the JSON beside the URL alone";
  if (option->shape == Shape::fields) {
    const size_t colon = value.find(':');
    if (colon == std::string_view::npos) return wrong(*option);
    return take_header(value.substr(0, colon), value.substr(colon + 1), into);
  }
  const DrainOptions::Encoding before = into.encoding;
  std::string error = take_text(*option, value, into);
  if (error.empty() && before != DrainOptions::Encoding::identity &&
      into.encoding != DrainOptions::Encoding::identity && into.encoding != before)
    return "gzip, zstd: one of them";
  return error;
}

std::string take_json_options(const json& object, DrainOptions& into) {
  if (!object.is_object()) return "options: take a JSON object";
  if (turns_on(object, "gzip") && turns_on(object, "zstd")) return "gzip, zstd: one of them";
  for (const Option& option : kOptions)
    if (const json* value = value_in(object, option.name))
      if (std::string error = take_json(option, *value, into); !error.empty()) return error;
  return {};
}

std::string stored_options(const json& object) {
  if (!object.is_object()) return {};
  json stored = json::object();
  for (const Option& option : kOptions)
    if (const json* value = value_in(object, option.name)) stored[std::string(option.name)] = *value;
  return stored.empty() ? std::string() : stored.dump(-1, ' ', false, json::error_handler_t::replace);
}

json shown_options(std::string_view stored) {
  json shown = json::parse(stored, nullptr, false);
  if (!shown.is_object()) return json::object();
  for (auto& [name, value] : shown.items()) {
    if (name == "headers" && value.is_object()) {
      for (auto& header : value) header = "***";
    } else if (name == "headers" || name == "signing_secret" || name == "tls_key" || !find_option(name) ||
               (value.is_string() &&
                value.get_ref<const std::string&>().find("PRIVATE KEY") != std::string::npos)) {
      value = "***";
    }
  }
  return shown;
}

}  // namespace tailrace
