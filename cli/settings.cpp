#include "cli/settings.h"

#include <unistd.h>

#include <algorithm>
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

bool read_api_state(Settings& s, std::string_view value) {
  const auto found = std::ranges::find(kApiStates, value);
  if (found == kApiStates.end()) return false;
  s.api_state = ApiState(found - kApiStates.begin());
  return true;
}

bool never(Settings&, std::string_view) {
  return false;
}

constexpr auto plain = SettingSpec::plain, secret = SettingSpec::secret, limit = SettingSpec::limit,
               unbuilt = SettingSpec::unbuilt;

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
    {"TAILRACE_DATA_DIR", "", "a directory", "keep everything there; else in memory", plain,
     [](Settings& s, std::string_view v) { return s.data_dir = v, true; }},
    {"TAILRACE_ACK", "", "memory or durable",
     "when POST /logs says 2xx; durable with a data dir, else memory", plain, read_ack},
    {"TAILRACE_AUTH", "", "user:password", "admin credential; else made up", secret, read_auth},
    {"TAILRACE_PUBLIC_URL", "", "http://host[:port][/path] or https://…", "how readers reach sessions", plain,
     read_public_url},
    {"TAILRACE_THREADS", "", "a number from 1 to 256", "event loops; else one per core", plain,
     [](Settings& s, std::string_view v) { return read_count(s.threads, v, 1, 256); }},
    {"TAILRACE_GRACE", "30s", "a duration such as 500ms, 30s, 5m", "SIGTERM waits for drains", limit,
     [](Settings& s, std::string_view v) { return read_span(s.grace, v); }},
    {"TAILRACE_CHANNEL_RECORDS", "1500", "a number from 1 to 100000000", "history readers can ask for", limit,
     [](Settings& s, std::string_view v) { return read_count(s.channel_records, v, 1, 100'000'000); }},
    {"TAILRACE_CHANNEL_BYTES", "8M", "a size of 64K or more, such as 8M",
     "how far a cursor may lag; 1G with a data dir", limit,
     [](Settings& s, std::string_view v) { return read_bytes(s.channel_bytes, v, 64 << 10); }},
    {"TAILRACE_CHANNEL_AGE", "7d", "a duration such as 30m, 12h, 7d", "older records go", limit,
     [](Settings& s, std::string_view v) {
       return read_span(s.channel_age, v) && s.channel_age.count() > 0;
     }},
    {"TAILRACE_CHANNEL_DRAINS", "6", "a number from 0 to 10000", "drains per channel", limit,
     [](Settings& s, std::string_view v) { return read_count(s.channel_drains, v, 0, 10'000); }},
    {"TAILRACE_MEMORY_BYTES", "512M", "a size of 16M or more, such as 512M", "bound of the whole process",
     limit, [](Settings& s, std::string_view v) { return read_bytes(s.memory_bytes, v, 16 << 20); }},
    {"TAILRACE_DISK_BYTES", "10G", "a size of 64M or more, such as 20G", "bound of the data dir", limit,
     [](Settings& s, std::string_view v) { return read_bytes(s.disk_bytes, v, 64 << 20); }},
    {"TAILRACE_CHANNEL_RATE", "off", "records per second, from 1 to 1000000000, or off", "quota per channel",
     limit,
     [](Settings& s, std::string_view v) {
       s.channel_rate = 0;
       return v == "off" || read_count(s.channel_rate, v, 1, 1'000'000'000);
     }},
    {"TAILRACE_CHANNEL_SERIES", "1000", "a number from 0 to 1000000", "metric series per channel", limit,
     [](Settings& s, std::string_view v) { return read_count(s.channel_series, v, 0, 1'000'000); }},
    {"TAILRACE_SERIES", "200000", "a number from 0 to 100000000", "metric series of the whole process", limit,
     [](Settings& s, std::string_view v) { return read_count(s.series, v, 0, 100'000'000); }},
    {"TAILRACE_ROUTER_BY", "off", "dyno, host, dyno,host or off", "router series per dyno, per host", plain,
     read_router_by},
    {"TAILRACE_API_STATE", "normal", "normal, read_only or disabled", "what the API does", limit,
     read_api_state},
    {"TAILRACE_LIMITS_FILE", "", "a readable file of NAME=value lines", "limits that SIGHUP reads again",
     plain, [](Settings& s, std::string_view v) { return s.limits_file = v, true; }},
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

/// Where settings come from; the first that has one wins.
struct Sources {
  SettingValues limits;  // of TAILRACE_LIMITS_FILE, whose limits come before all: it alone can change
  const SettingValues& flags;
  const SettingValues& environment;
  const ReadFile& read_file;
};

struct Given {
  std::optional<std::string> text;
  std::string error;  // it is in a file that cannot be read
};

Given given(const SettingSpec& spec, const Sources& from) {
  if (spec.kind == SettingSpec::limit)
    if (const std::string* text = find_value(from.limits, spec.variable)) return {*text, {}};
  for (const SettingValues* values : {&from.flags, &from.environment}) {
    if (const std::string* text = find_value(*values, spec.variable)) return {*text, {}};
    if (spec.kind != SettingSpec::secret) continue;
    const std::string variable = std::string(spec.variable) + "_FILE";
    if (const std::string* path = find_value(*values, variable)) {
      auto text = from.read_file(*path);
      if (!text) return {{}, refused(variable, *path, "a readable file")};
      while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
      return {std::move(text), {}};
    }
  }
  if (spec.variable == "TAILRACE_HTTP_LISTEN") {
    if (const std::string* port = find_value(from.environment, "PORT")) {
      const auto number = parse_u64(*port);
      if (!number || *number > 65'535) return {{}, refused("PORT", *port, "a number from 0 to 65535")};
      return {"0.0.0.0:" + *port, {}};
    }
  }
  if (spec.variable == "TAILRACE_DATA_DIR")
    if (const std::string* dirs = find_value(from.environment, "STATE_DIRECTORY"))
      return {dirs->substr(0, dirs->find(':')), {}};  // systemd may have been told to make several
  return {};
}

/// The default; of some it depends on what was read before.
std::string_view standard_of(const SettingSpec& spec, const Settings& settings) {
  const bool on_disk = !settings.data_dir.empty();
  if (spec.variable == "TAILRACE_ACK") return on_disk ? "durable" : "memory";
  if (spec.variable == "TAILRACE_CHANNEL_BYTES" && on_disk) return "1G";
  return spec.standard;
}

/// Lines of NAME=value as systemd's EnvironmentFile has them: blank ones and those that begin with # or ; say
/// nothing, and a value may stand in quotes. False: a line is none of these; `error` names it.
bool read_limits_file(const std::string& path, const ReadFile& read_file, SettingValues& values,
                      std::string& error) {
  const auto text = read_file(path);
  if (!text)
    return error = refused("TAILRACE_LIMITS_FILE", path, "a readable file of NAME=value lines"), false;
  size_t number = 0;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line = std::string_view(*text).substr(at, end - at);
    at = end + 1;
    ++number;
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!line.empty() && blank(line.front())) line.remove_prefix(1);
    while (!line.empty() && blank(line.back())) line.remove_suffix(1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const size_t equals = line.find('=');
    if (equals == 0 || equals == line.npos)
      return error =
                 "TAILRACE_LIMITS_FILE=" + path + ": line " + std::to_string(number) + " takes NAME=value",
             false;
    std::string_view value = line.substr(equals + 1);
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
    values.insert_or_assign(std::string(line.substr(0, equals)), std::string(value));
  }
  return true;
}

/// What stands in the file and means nothing there. The file may be other programs' as well, such as
/// systemd's; only what looks like ours is looked at.
void judge_names(const Sources& from, std::vector<std::string>& problems) {
  for (const auto& [name, value] : from.limits) {
    if (!name.starts_with("TAILRACE_")) continue;
    const auto spec = std::ranges::find(table, name, &SettingSpec::variable);
    if (spec != table.end() && spec->kind == SettingSpec::limit) continue;
    if (!is_known(name)) {
      problems.push_back(name + ": no such setting, ignored");
    } else {
      const std::string* elsewhere = find_value(from.flags, name);
      if (!elsewhere) elsewhere = find_value(from.environment, name);
      if (!elsewhere || *elsewhere != value)
        problems.push_back(name + ": no limit, ignored in TAILRACE_LIMITS_FILE");
    }
  }
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

  Sources from{{}, flags, environment, read_file};
  const std::string* limits_file = find_value(flags, "TAILRACE_LIMITS_FILE");
  if (!limits_file) limits_file = find_value(environment, "TAILRACE_LIMITS_FILE");
  if (std::string error; limits_file && !read_limits_file(*limits_file, read_file, from.limits, error))
    return fail(std::move(error));

  for (const SettingSpec& spec : table) {
    const Given value = given(spec, from);
    if (!value.error.empty()) return fail(value.error);
    if (spec.kind == SettingSpec::unbuilt) {
      if (value.text && *value.text != spec.standard)
        return fail(std::string(spec.variable) + "=" + shown(spec, *value.text) + ": not built yet");
      continue;
    }
    const std::string text = value.text.value_or(std::string(standard_of(spec, settings)));
    if ((value.text || !text.empty()) && !spec.read(settings, text))
      return fail(refused(spec.variable, shown(spec, text), spec.takes));
    if (spec.kind == SettingSpec::limit) settings.limits.insert_or_assign(std::string(spec.variable), text);
  }
  if (settings.ack == Ack::durable && settings.data_dir.empty())
    return fail("TAILRACE_ACK=durable: needs TAILRACE_DATA_DIR");
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
  judge_names(from, out.warnings);
  out.settings = std::move(settings);
  return out;
}

LimitsOutcome reread_limits(Settings& settings, const SettingValues& flags, const SettingValues& environment,
                            const ReadFile& read_file) {
  LimitsOutcome out;
  if (settings.limits_file.empty()) return out;
  Sources from{{}, flags, environment, read_file};
  if (std::string error; !read_limits_file(settings.limits_file, read_file, from.limits, error)) {
    out.problems.push_back(std::move(error));
    return out;
  }
  for (const SettingSpec& spec : table) {
    if (spec.kind != SettingSpec::limit) continue;
    const std::string text = given(spec, from).text.value_or(std::string(standard_of(spec, settings)));
    std::string& before = settings.limits.find(spec.variable)->second;
    if (text == before) continue;
    Settings changed = settings;  // a refused value may leave something behind
    if (!spec.read(changed, text)) {
      out.problems.push_back(refused(spec.variable, shown(spec, text), spec.takes) + "; " + before +
                             " is kept");
      continue;
    }
    settings = std::move(changed);
    settings.limits.insert_or_assign(std::string(spec.variable), text);
    out.changed.push_back(std::string(spec.variable) + "=" + text);
  }
  judge_names(from, out.problems);
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
