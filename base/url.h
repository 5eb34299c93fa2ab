#pragma once
// URLs of drains: one parser for the check and for the connect.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace {

struct Url {
  std::string scheme;            // lower case
  std::string user, password;    // percent-decoded
  std::string host;              // lower case; an IPv6 literal without brackets; never empty
  bool host_is_literal = false;  // an IP address in any notation that inet_aton or RFC 4291 knows
  uint16_t port = 0;             // 0: not given
  std::string path;              // as given, still encoded; may be empty
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::string query_text;                                  // as given, without `?`

  /// `host:port` as it stands in an error text; IPv6 in brackets; port left out if 0.
  std::string authority() const;
  /// The query as given, byte for byte, without the parameters of these names.
  std::string query_without(const std::vector<std::string_view>& names) const;
};

/// RFC 3986, and stricter: an absolute URL with a host; no control character, backslash or blank as
/// it stands, and no control character in the decoded credentials. A fragment is dropped.
Result<Url> parse_url(std::string_view text);

/// The URL as it may be shown: the password as `***`, or the user if there is no password, and the value of
/// each query parameter that is not in `shown_options` too.
std::string redacted(const Url& url, const std::vector<std::string_view>& shown_options);

}  // namespace tailrace
