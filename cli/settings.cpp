#include "cli/settings.h"

#include <algorithm>
#include <cctype>

#include "base/address_policy.h"
#include "cli/setting_values.h"

namespace tailrace {
namespace {

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

}  // namespace tailrace
