#pragma once
// What may be chosen about a drain beside its URL (contract section 6; docs/drains.md has them for people).

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/record_filter.h"

namespace tailrace {

/// Requests as log-shuttle makes them, for `tailrace send`: they name no drain, and losses are told as L12
/// (our bounds took it) and L13 (the far end refused it) under the sender's own APP-NAME.
struct SenderForm {
  std::string app;
};

/// A value. Defaults are what a drain without options does.
struct DrainOptions {
  enum class Format : uint8_t {
    logplex,  // as Logplex wrote it: without host, MSGID and structured data
    rfc5424,  // the whole record, as it was sent
  };
  enum class Encoding : uint8_t { identity, gzip, zstd };

  Format format = Format::logplex;
  std::string filter;      // its text; docs/drains.md has the language
  RecordFilterPtr wanted;  // the same, compiled; null: all
  // Of HTTP drains alone:
  Encoding encoding = Encoding::identity;
  std::vector<std::pair<std::string, std::string>> headers;
  uint64_t batch_bytes = 1u << 20;           // of a body before compression, about, at most
  std::chrono::milliseconds batch_delay{0};  // how long a batch may wait to become full
  std::string signing_secret;                // bodies are signed with it; empty: they are not
  // Of drains with TLS alone; PEM texts:
  std::string tls_ca;                // authorities to trust instead of the system's
  std::string tls_cert, tls_key;     // who we are
  std::optional<SenderForm> sender;  // in no URL and no JSON
};

/// Options that may stand in the query of a drain's URL; the others would be secrets in a URL.
const std::vector<std::string_view>& drain_url_options();
/// All of them: as fields of a JSON object.
const std::vector<std::string_view>& drain_json_options();

/// Why a drain of that kind cannot have the option; empty if it can, or if it is no option.
std::string misplaced_option(std::string_view name, bool http, bool tls);

/// Takes one `name=value` of a URL's query, decoded. None: it is no option, and belongs to the far end.
/// Otherwise what is wrong with it, `batch_bytes: takes 1K to 8M`, or nothing. Values never stand in what is
/// wrong, but parts of a filter. One that belongs into JSON alone is wrong: its owner meant us, and the far
/// end shall not see it. A further `headers` is a further field.
std::optional<std::string> take_url_option(std::string_view name, std::string_view value, DrainOptions& into);

/// Takes the fields of a JSON object that are options, over what is there; gives what is wrong, or nothing.
/// Fields that are none are left to the caller; null is none.
std::string take_json_options(const nlohmann::json& object, DrainOptions& into);

/// The options of a JSON object as one JSON text, to be stored with the drain; empty if there are none.
std::string stored_options(const nlohmann::json& object);

/// Stored options as they may be shown: secrets, keys and the values of headers as `***`.
nlohmann::json shown_options(std::string_view stored);

}  // namespace tailrace
