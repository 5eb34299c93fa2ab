#include "cli/setting_values.h"

#include <boost/asio/ip/address.hpp>

#include "base/ids.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/url.h"
#include "net/listener.h"

namespace tailrace {

namespace ip = boost::asio::ip;

bool is_listen_address(std::string_view text) {
  return parse_endpoint(text).has_value();
}

bool is_name_server_list(std::string_view text) {
  bool good = true;
  for_each_piece(text, ',', [&](std::string_view piece) {
    boost::system::error_code no_address;
    ip::make_address(piece, no_address);
    const bool named = piece.starts_with("localhost") || piece.starts_with(':');
    good = good && (!no_address || (!named && parse_endpoint(piece)));
  });
  return good;
}

bool read_syslog(std::vector<SyslogListen>& out, std::string_view value) {
  out.clear();
  if (value == "off") return true;
  bool good = true;
  for_each_piece(value, ',', [&](std::string_view piece) {
    SyslogListen listen;
    const size_t mark = piece.find('?');
    listen.address = piece.substr(0, mark);
    good = good && is_listen_address(listen.address);
    if (mark != std::string_view::npos) {
      std::string_view query = piece.substr(mark + 1);
      good = good && query.starts_with("token=") && is_token_id(query.substr(6));
      if (good) listen.token = query.substr(6);
    }
    out.push_back(std::move(listen));
  });
  return good && !out.empty();
}

bool read_auth(Settings& s, std::string_view value) {
  const size_t colon = value.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == value.size()) return false;
  for (const char c : value) {
    if (uint8_t(c) < 0x20 || c == 0x7f) return false;
  }
  s.auth_user = value.substr(0, colon);
  s.auth_password = value.substr(colon + 1);
  s.auth_generated = false;
  return true;
}

bool read_public_url(Settings& s, std::string_view value) {
  const auto url = parse_url(value);
  if (!url || (url->scheme != "http" && url->scheme != "https")) return false;
  if (!url->user.empty() || !url->password.empty() || value.find_first_of("?#") != value.npos) return false;
  while (value.ends_with('/')) value.remove_suffix(1);
  s.public_url = value;
  return true;
}

bool read_count(uint64_t& out, std::string_view value, uint64_t least, uint64_t most) {
  const auto n = parse_u64(value);
  if (!n || *n < least || *n > most) return false;
  out = *n;
  return true;
}

bool read_bytes(uint64_t& out, std::string_view value, uint64_t least) {
  const auto n = parse_size(value);
  if (!n || *n < least) return false;
  out = *n;
  return true;
}

bool read_span(std::chrono::milliseconds& out, std::string_view value) {
  const auto span = parse_duration(value);
  if (span) out = *span;
  return span.has_value();
}

bool read_ack(Settings& s, std::string_view value) {
  s.ack = value == "durable" ? Ack::durable : Ack::memory;
  return value == "durable" || value == "memory";
}

bool read_router_by(Settings& s, std::string_view value) {
  bool known = true;
  s.router_by_dyno = s.router_by_host = false;
  if (value == "off") return true;
  for_each_piece(value, ',', [&](std::string_view by) {
    if (by == "dyno")
      s.router_by_dyno = true;
    else if (by == "host")
      s.router_by_host = true;
    else
      known = false;
  });
  return known;
}

}  // namespace tailrace
