#include "cli/settings.h"

#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <fstream>
#include <thread>

#include "base/address_policy.h"
#include "base/ids.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/url.h"
#include "net/listener.h"

namespace tailrace {
namespace {

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

bool never(Settings&, std::string_view) {
  return false;
}

constexpr auto plain = SettingSpec::plain, secret = SettingSpec::secret, unbuilt = SettingSpec::unbuilt;

constexpr std::string_view takes_syslog = "host:port[?token=t.<uuid>],… or off";
constexpr std::string_view takes_address = "host:port with a literal address or localhost";

const std::vector<SettingSpec> table = {
    {"TAILRACE_HTTP_LISTEN", "127.0.0.1:8601", takes_address, "public listener", plain,
     [](Settings& s, std::string_view v) { return s.http_listen = v, is_listen_address(v); }},
    {"TAILRACE_ADMIN_LISTEN", "127.0.0.1:8001", takes_address, "API, /metrics, every route", plain,
     [](Settings& s, std::string_view v) { return s.admin_listen = v, is_listen_address(v); }},
    {"TAILRACE_SYSLOG_LISTEN", "127.0.0.1:6001", takes_syslog, "syslog over TCP", plain,
     [](Settings& s, std::string_view v) { return read_syslog(s.syslog_listen, v); }},
    {"TAILRACE_SYSLOG_UDP_LISTEN", "off", takes_syslog, "syslog over UDP", plain,
     [](Settings& s, std::string_view v) { return read_syslog(s.syslog_udp_listen, v); }},
    {"TAILRACE_SYSLOG_TLS_LISTEN", "off", takes_syslog, "syslog over TLS", plain,
     [](Settings& s, std::string_view v) { return read_syslog(s.syslog_tls_listen, v); }},
    {"TAILRACE_HTTPS_LISTEN", "off", "host:port or off", "public listener, TLS", plain,
     [](Settings& s, std::string_view v) {
       s.https_listen = v == "off" ? "" : v;
       return v == "off" || is_listen_address(v);
     }},
    {"TAILRACE_TLS_CERT", "", "a PEM file", "certificate chain", plain,
     [](Settings& s, std::string_view v) { return s.tls.cert = v, true; }},
    {"TAILRACE_TLS_KEY", "", "a PEM file", "private key", plain,
     [](Settings& s, std::string_view v) { return s.tls.key = v, true; }},
    {"TAILRACE_TLS_CLIENT_CA", "", "a PEM file", "turns on mutual TLS", plain,
     [](Settings& s, std::string_view v) { return s.tls.client_ca = v, true; }},
    {"TAILRACE_DATA_DIR", "", "a directory", "keep everything there", unbuilt, never},
    {"TAILRACE_ACK", "memory", "memory or durable", "when POST /logs says 2xx", unbuilt, never},
    {"TAILRACE_AUTH", "", "user:password", "admin credential; else made up", secret, read_auth},
    {"TAILRACE_PUBLIC_URL", "", "http://host[:port][/path] or https://…", "how readers reach sessions", plain,
     read_public_url},
    {"TAILRACE_THREADS", "", "a number from 1 to 256", "event loops; else one per core", plain,
     [](Settings& s, std::string_view v) { return read_count(s.threads, v, 1, 256); }},
    {"TAILRACE_GRACE", "30s", "a duration such as 500ms, 30s, 5m", "SIGTERM waits for drains", plain,
     [](Settings& s, std::string_view v) { return read_span(s.grace, v); }},
    {"TAILRACE_CHANNEL_RECORDS", "1500", "a number from 1 to 100000000", "history readers can ask for", plain,
     [](Settings& s, std::string_view v) { return read_count(s.channel_records, v, 1, 100'000'000); }},
    {"TAILRACE_CHANNEL_BYTES", "8M", "a size of 64K or more, such as 8M", "how far a cursor may lag", plain,
     [](Settings& s, std::string_view v) { return read_bytes(s.channel_bytes, v, 64 << 10); }},
    {"TAILRACE_CHANNEL_AGE", "7d", "a duration such as 30m, 12h, 7d", "older records go", plain,
     [](Settings& s, std::string_view v) {
       return read_span(s.channel_age, v) && s.channel_age.count() > 0;
     }},
    {"TAILRACE_CHANNEL_DRAINS", "6", "a number from 0 to 10000", "drains per channel", plain,
     [](Settings& s, std::string_view v) { return read_count(s.channel_drains, v, 0, 10'000); }},
    {"TAILRACE_MEMORY_BYTES", "512M", "a size of 16M or more, such as 512M", "bound of the whole process",
     plain, [](Settings& s, std::string_view v) { return read_bytes(s.memory_bytes, v, 16 << 20); }},
    {"TAILRACE_DISK_BYTES", "", "a size such as 20G", "bound of the data dir", unbuilt, never},
    {"TAILRACE_CHANNEL_RATE", "off", "records per second, from 1 to 1000000000, or off", "quota per channel",
     plain,
     [](Settings& s, std::string_view v) {
       s.channel_rate = 0;
       return v == "off" || read_count(s.channel_rate, v, 1, 1'000'000'000);
     }},
    {"TAILRACE_DRAIN_ALLOW", "", "addresses and networks, comma separated", "exceptions from the deny list",
     plain,
     [](Settings& s, std::string_view v) {
       return s.drain_allow = v, AddressPolicy::parse(v, "").has_value();
     }},
    {"TAILRACE_DRAIN_DENY", "", "addresses and networks, comma separated", "beyond private and own ones",
     plain,
     [](Settings& s, std::string_view v) {
       return s.drain_deny = v, AddressPolicy::parse(v, "").has_value();
     }},
    {"TAILRACE_DNS", "", "address[:port],…", "name servers for drains", plain,
     [](Settings& s, std::string_view v) { return s.dns = v, is_name_server_list(v); }},
    {"TAILRACE_FILE_DRAIN_DIR", "", "a directory", "where file:// may write", unbuilt, never},
    {"TAILRACE_CLUSTER", "", "nats://host:4222,…", "one node of many", unbuilt, never},
    {"SSL_CERT_FILE", "", "a PEM file", "authorities for drains", plain,
     [](Settings& s, std::string_view v) { return s.ca_file = v, true; }},
};

// The value as an error may show it: no credential, no token, no password in a URL, no control character.
std::string shown(const SettingSpec& spec, std::string_view value) {
  if (spec.kind == SettingSpec::secret) return "***";
  std::string text;
  for (const char c : value) text += uint8_t(c) < 0x20 || c == 0x7f ? '?' : c;
  if (spec.variable.ends_with("_LISTEN"))  // a token, or what was meant to be one
    for (size_t at = 0; (at = text.find('?', at)) != std::string::npos;) {
      ++at;
      const size_t end = std::min(text.find(',', at), text.size());
      const bool named = text.compare(at, 6, "token=") == 0;
      text.replace(named ? at + 6 : at, end - at - (named ? 6 : 0), "***");
    }
  for (size_t at = 0; (at = text.find('@', at)) != std::string::npos; ++at) {
    const size_t slashes = text.rfind("//", at);
    if (slashes == std::string::npos) continue;
    text.replace(slashes + 2, at - slashes - 2, "***");
    at = slashes + 5;
  }
  return text;
}

const std::string* find_value(const SettingValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? nullptr : &found->second;
}

bool is_known(std::string_view name) {
  if (name == "TAILRACE_URL" || name == "TAILRACE_APP") return true;
  for (const SettingSpec& spec : table) {
    if (name == spec.variable) return true;
    if (spec.kind == SettingSpec::secret && name == std::string(spec.variable) + "_FILE") return true;
  }
  return false;
}

std::string refused(std::string_view name, std::string_view value, std::string_view takes) {
  return std::string(name) + "=" + std::string(value) + ": takes " + std::string(takes);
}

}  // namespace

std::string SettingSpec::flag() const {
  std::string_view name = variable;
  if (name.starts_with("TAILRACE_")) name.remove_prefix(9);
  std::string flag = "--";
  for (const char c : name) flag += c == '_' ? '-' : char(std::tolower(uint8_t(c)));
  return flag;
}

const std::vector<SettingSpec>& setting_specs() {
  return table;
}

SettingsOutcome read_settings(const SettingValues& flags, const SettingValues& environment,
                              const ReadFile& read_file) {
  SettingsOutcome out;
  Settings settings;
  settings.threads = std::max(1u, std::thread::hardware_concurrency());
  const auto fail = [&](std::string text) {
    out.error = std::move(text);
    return std::move(out);
  };

  for (const SettingSpec& spec : table) {
    std::string from_elsewhere;
    const std::string* value = nullptr;
    for (const SettingValues* values : {&flags, &environment}) {
      if ((value = find_value(*values, spec.variable))) break;
      if (spec.kind != SettingSpec::secret) continue;
      const std::string variable = std::string(spec.variable) + "_FILE";
      if (const std::string* path = find_value(*values, variable)) {
        auto text = read_file(*path);
        if (!text) return fail(refused(variable, *path, "a readable file"));
        while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
        from_elsewhere = std::move(*text);
        value = &from_elsewhere;
        break;
      }
    }
    if (!value && spec.variable == "TAILRACE_HTTP_LISTEN") {
      if (const std::string* port = find_value(environment, "PORT")) {
        const auto number = parse_u64(*port);
        if (!number || *number > 65'535) return fail(refused("PORT", *port, "a number from 0 to 65535"));
        from_elsewhere = "0.0.0.0:" + *port;
        value = &from_elsewhere;
      }
    }
    if (!value && spec.variable == "TAILRACE_DATA_DIR") {
      if (const std::string* dir = find_value(environment, "STATE_DIRECTORY")) {
        return fail("STATE_DIRECTORY=" + shown(spec, *dir) + ": not built yet");
      }
    }
    if (spec.kind == SettingSpec::unbuilt) {
      if (value && *value != spec.standard) {
        return fail(std::string(spec.variable) + "=" + shown(spec, *value) + ": not built yet");
      }
      continue;
    }
    const std::string_view text = value ? std::string_view(*value) : spec.standard;
    if ((value || !text.empty()) && !spec.read(settings, text)) {
      return fail(refused(spec.variable, shown(spec, text), spec.takes));
    }
  }
  const bool https = !settings.https_listen.empty();
  if (https || !settings.syslog_tls_listen.empty()) {
    const std::string wanted = https ? "TAILRACE_HTTPS_LISTEN" : "TAILRACE_SYSLOG_TLS_LISTEN";
    if (settings.tls.cert.empty()) return fail("TAILRACE_TLS_CERT: " + wanted + " needs it");
    if (settings.tls.key.empty()) return fail("TAILRACE_TLS_KEY: " + wanted + " needs it");
  }
  for (const auto& [name, value] : environment) {
    if (name.starts_with("TAILRACE_") && !is_known(name)) {
      out.warnings.push_back(name + ": no such setting, ignored");
    }
  }
  out.settings = std::move(settings);
  return out;
}

SettingValues process_environment() {
  SettingValues values;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

std::optional<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(64 << 10, '\0');
  file.read(text.data(), std::streamsize(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(size_t(file.gcount()));
  return text;
}

}  // namespace tailrace
