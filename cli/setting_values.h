#pragma once
// How the text of a setting becomes its value. False: it is not what the setting takes.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cli/settings.h"

namespace tailrace {

bool is_listen_address(std::string_view text);
/// `address[:port],…`; no names.
bool is_name_server_list(std::string_view text);
bool read_syslog(std::vector<SyslogListen>& out, std::string_view value);
bool read_auth(Settings& s, std::string_view value);
bool read_public_url(Settings& s, std::string_view value);
bool read_count(uint64_t& out, std::string_view value, uint64_t least, uint64_t most);
bool read_bytes(uint64_t& out, std::string_view value, uint64_t least);
bool read_span(std::chrono::milliseconds& out, std::string_view value);
bool read_ack(Settings& s, std::string_view value);
bool read_router_by(Settings& s, std::string_view value);

}  // namespace tailrace
