#include "base/url.h"

#include <algorithm>

#include "base/address_policy.h"
#include "base/text.h"

namespace tailrace {
namespace {

// By hand, not by Boost.URL: 1.81 reads `http://1.2.3.4.example/` as the host `1.2.3.4` with the path
// `.example/`, and `http://a@b@c` as the host `b`. What a check and a connect must agree on cannot rest on
// that.

error_code invalid() {
  return make_error_code(boost::system::errc::invalid_argument);
}

bool is_control(char c) {
  return uint8_t(c) < 0x20 || c == 0x7f;
}

/// What the raw text may hold: visible ASCII without a backslash (RFC 3986 knows no other).
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
}

/// A name to look up: letters, digits, `-`, `_` and dots between labels, 253 at most.
bool is_name(std::string_view host) {
  if (host.empty() || host.size() > 254 || host.starts_with('.') || host.find("..") != std::string_view::npos)
    return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = char(c + 32);
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// RFC 3986 section 2: unreserved characters, sub-delims, `further` ones, and whole percent-encodings.
bool is_encoded(std::string_view text, std::string_view further) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_unreserved(text[i]) &&
               std::string_view("!$&'()*+,;=").find(text[i]) == std::string_view::npos &&
               further.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

bool set_host(Url& url, std::string_view encoded) {
  const bool brackets = encoded.starts_with('[');
  if (!brackets && !is_encoded(encoded, "")) return false;
  url.host = brackets ? std::string(encoded) : lower(percent_decoded(encoded));
  if (const auto literal = literal_address(url.host); literal && literal->is_v6() == brackets) {
    url.host = literal->to_string();
    url.host_is_literal = true;
    return true;
  }
  return is_name(url.host) && !ends_in_number(url.host);
}

/// `[user[:password]@]host[:port]`
bool set_authority(Url& url, std::string_view text) {
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    const std::string_view info = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (!is_encoded(info, ":") || text.find('@') != std::string_view::npos) return false;
    const size_t colon = info.find(':');
    url.user = percent_decoded(info.substr(0, colon));
    if (colon != std::string_view::npos) url.password = percent_decoded(info.substr(colon + 1));
    // Credentials travel as base64: a blank or a backslash in them is theirs.
    if (std::ranges::any_of(url.user + url.password, is_control)) return false;
  }
  size_t host_end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[')) {
    if (host_end == std::string_view::npos) return false;
    ++host_end;
  }
  host_end = std::min(host_end, text.size());
  if (!set_host(url, text.substr(0, host_end))) return false;
  text.remove_prefix(host_end);
  if (text.empty()) return true;
  const auto port = text[0] == ':' ? parse_u64(text.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > 65535) return false;
  url.port = uint16_t(*port);
  return true;
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[uint8_t(c) >> 4];
      out += "0123456789ABCDEF"[uint8_t(c) & 15];
    }
  }
  return out;
}

/// Each `name=value` of a query, undecoded.
template <class F>
void for_each_parameter(std::string_view query, F&& use) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    use(pair, pair.substr(0, equals),
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
  }
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port) (out += ':') += std::to_string(port);
  return out;
}

std::string Url::query_without(const std::vector<std::string_view>& names) const {
  std::string out;
  std::string_view left = query_text;
  for (bool first = true, more = true; more;) {
    const size_t end = left.find('&');
    more = end != std::string_view::npos;
    const std::string_view pair = left.substr(0, end);
    if (more) left.remove_prefix(end + 1);
    if (std::ranges::find(names, percent_decoded(pair.substr(0, pair.find('=')))) != names.end()) continue;
    if (!std::exchange(first, false)) out += '&';
    out += pair;
  }
  return out;
}

Result<Url> parse_url(std::string_view text) {
  if (!is_plain(text)) return invalid();
  text = text.substr(0, text.find('#'));
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) return invalid();
  Url url;
  url.scheme = lower(text.substr(0, colon));
  text.remove_prefix(colon + 3);
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  if (!set_authority(url, text.substr(0, authority_end))) return invalid();
  text.remove_prefix(authority_end);
  const size_t mark = text.find('?');
  url.path = text.substr(0, mark);
  if (mark != std::string_view::npos) url.query_text = text.substr(mark + 1);
  if (!is_encoded(url.path, ":@/") || !is_encoded(url.query_text, ":@/?")) return invalid();
  bool good = true;
  for_each_parameter(url.query_text, [&](std::string_view, std::string_view name, std::string_view value) {
    url.query.emplace_back(percent_decoded(name), percent_decoded(value));
    good &= std::ranges::none_of(url.query.back().first, is_control);
    good &= std::ranges::none_of(url.query.back().second, is_control);
  });
  if (!good) return invalid();
  return url;
}

std::string redacted(const Url& url, const std::vector<std::string_view>& shown_options) {
  std::string out = url.scheme + "://";
  if (!url.password.empty())
    (out += encoded(url.user)) += ":***";
  else if (!url.user.empty())
    out += "***";  // alone it is the secret itself
  if (!url.user.empty() || !url.password.empty()) out += '@';
  (out += url.authority()) += url.path;
  char separator = '?';
  for_each_parameter(url.query_text, [&](std::string_view pair, std::string_view name, std::string_view) {
    out += separator;
    separator = '&';
    const bool shown = std::ranges::find(shown_options, percent_decoded(name)) != shown_options.end();
    if (shown)
      out += pair;
    else if (name.size() == pair.size())
      out += "***";  // a bare word may be the secret itself
    else
      (out += name) += "=***";
  });
  return out;
}

}  // namespace tailrace
