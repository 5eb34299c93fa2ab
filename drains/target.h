#pragma once
// Where a drain sends to: its URL, judged.

#include <string>
#include <string_view>

#include "base/address_policy.h"
#include "base/url.h"
#include "drains/options.h"

namespace tailrace {

/// A drain's destination, ready to use.
struct DrainTarget {
  enum class Kind : uint8_t { syslog, syslog_tls, http, https };
  Kind kind = Kind::syslog;
  bool is_http() const { return kind == Kind::http || kind == Kind::https; }
  bool is_tls() const { return kind == Kind::syslog_tls || kind == Kind::https; }
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string host_header;    // `Host:` of a request: the port only if the URL gives one, as Logplex does
  std::string request_path;   // path and query as given, without options; `/` if there is none
  std::string authorization;  // `Basic …`, or empty
  std::string shown;          // the URL without secrets
};

/// The target, or in `error` a short reason for people and programs: `invalid_uri`, `unknown_scheme: ftp`,
/// `address not allowed`, `batch_bytes: takes 1K to 8M`, …
struct JudgedTarget {
  DrainTarget target;
  DrainOptions options;
  std::string error;  // empty: the target is good
};
/// `options`: DrainEntry::options; they go before those in the URL's query, which the far end never sees.
JudgedTarget judge_drain(std::string_view url, std::string_view options, const AddressPolicy& policy);

/// The target that an http or https URL means as it stands: its whole query is the far end's, and any address
/// will do, for whoever asks sends there himself. No options. Errors as judge_drain().
JudgedTarget judge_sender(std::string_view url);

/// The URL as it may be shown to anyone who may read the channel.
std::string shown_drain_url(std::string_view url);

}  // namespace tailrace
