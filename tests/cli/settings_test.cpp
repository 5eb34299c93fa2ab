#include "cli/settings.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

SettingsOutcome read(SettingValues environment, SettingValues flags = {}) {
  return read_settings(flags, environment, [](const std::string& path) -> std::optional<std::string> {
    if (path == "/run/auth") return "filed:secret\n";
    return std::nullopt;
  });
}

const std::string token = "t.0c3f3fd5-2e0b-4a8a-9d39-6f6b6a3c1f00";

}  // namespace

TEST_CASE("nothing given: the contract's defaults") {
  const auto out = read({});
  REQUIRE(out.settings);
  const Settings& s = *out.settings;
  CHECK(s.http_listen == "127.0.0.1:8601");
  CHECK(s.admin_listen == "127.0.0.1:8001");
  CHECK(s.syslog_listen == std::vector<SyslogListen>{{"127.0.0.1:6001", {}}});
  CHECK(s.auth_generated);
  CHECK(s.threads >= 1);
  CHECK(s.grace == std::chrono::seconds(30));
  CHECK(s.channel_records == 1500);
  CHECK(s.channel_bytes == 8u << 20);
  CHECK(s.channel_age == std::chrono::hours(24 * 7));
  CHECK(s.channel_drains == 6);
  CHECK(s.memory_bytes == 512u << 20);
  CHECK(s.disk_bytes == uint64_t{10} << 30);
  CHECK(s.data_dir.empty());
  CHECK(s.ack == Ack::memory);
  CHECK(out.warnings.empty());
}

TEST_CASE("flag over environment over default") {
  CHECK(read({{"TAILRACE_THREADS", "3"}}).settings->threads == 3);
  CHECK(read({{"TAILRACE_THREADS", "3"}}, {{"TAILRACE_THREADS", "4"}}).settings->threads == 4);
  CHECK(read({{"TAILRACE_CHANNEL_DRAINS", ""}}).settings->channel_drains == 6);
}

TEST_CASE("PORT is the public listener's, unless something more exact is given") {
  CHECK(read({{"PORT", "5000"}}).settings->http_listen == "0.0.0.0:5000");
  CHECK(read({{"PORT", "5000"}, {"TAILRACE_HTTP_LISTEN", "[::1]:1"}}).settings->http_listen == "[::1]:1");
  CHECK(read({{"PORT", "http"}}).error == "PORT=http: takes a number from 0 to 65535");
}

TEST_CASE("syslog listeners: off, a list, a token") {
  CHECK(read({{"TAILRACE_SYSLOG_LISTEN", "off"}}).settings->syslog_listen.empty());
  const auto out = read({{"TAILRACE_SYSLOG_LISTEN", ":6001, 127.0.0.1:6002?token=" + token}});
  REQUIRE(out.settings);
  CHECK(out.settings->syslog_listen == std::vector<SyslogListen>{{":6001", {}}, {"127.0.0.1:6002", token}});
}

TEST_CASE("TLS listeners need a certificate and its key; a certificate needs no listener") {
  const SettingValues files{{"TAILRACE_TLS_CERT", "c.pem"}, {"TAILRACE_TLS_KEY", "k.pem"}};
  CHECK(read(files).settings->https_listen.empty());
  CHECK(read(files).settings->syslog_tls_listen.empty());
  CHECK(read({{"TAILRACE_HTTPS_LISTEN", "off"}, {"TAILRACE_SYSLOG_TLS_LISTEN", "off"}}).settings);
  SettingValues both = files;
  both["TAILRACE_HTTPS_LISTEN"] = ":8643";
  both["TAILRACE_SYSLOG_TLS_LISTEN"] = ":6514,127.0.0.1:6515?token=" + token;
  both["TAILRACE_TLS_CLIENT_CA"] = "ca.pem";
  const auto out = read(both);
  REQUIRE(out.settings);
  CHECK(out.settings->https_listen == ":8643");
  CHECK(out.settings->syslog_tls_listen ==
        std::vector<SyslogListen>{{":6514", {}}, {"127.0.0.1:6515", token}});
  CHECK(out.settings->tls.cert == "c.pem");
  CHECK(out.settings->tls.key == "k.pem");
  CHECK(out.settings->tls.client_ca == "ca.pem");
  CHECK(read({{"TAILRACE_HTTPS_LISTEN", ":1"}}).error == "TAILRACE_TLS_CERT: TAILRACE_HTTPS_LISTEN needs it");
  CHECK(read({{"TAILRACE_SYSLOG_TLS_LISTEN", ":1"}, {"TAILRACE_TLS_CERT", "c.pem"}}).error ==
        "TAILRACE_TLS_KEY: TAILRACE_SYSLOG_TLS_LISTEN needs it");
}

TEST_CASE("the credential: value, file, never both places at once") {
  auto out = read({{"TAILRACE_AUTH", "u:p:q"}});
  CHECK(out.settings->auth_user == "u");
  CHECK(out.settings->auth_password == "p:q");
  CHECK_FALSE(out.settings->auth_generated);
  out = read({{"TAILRACE_AUTH_FILE", "/run/auth"}});
  CHECK(out.settings->auth_password == "secret");
  CHECK(read({{"TAILRACE_AUTH_FILE", "/run/auth"}}, {{"TAILRACE_AUTH", "flag:f"}}).settings->auth_user ==
        "flag");
  CHECK(read({{"TAILRACE_AUTH_FILE", "/nowhere"}}).error ==
        "TAILRACE_AUTH_FILE=/nowhere: takes a readable file");
}

TEST_CASE("a wrong value: variable, value, what it takes") {
  const std::pair<const char*, const char*> wrong[] = {
      {"TAILRACE_HTTP_LISTEN", "8601"},
      {"TAILRACE_HTTP_LISTEN", "example.com:80"},
      {"TAILRACE_HTTP_LISTEN", "1.2.3.4:70000"},
      {"TAILRACE_ADMIN_LISTEN", "::1:80"},
      {"TAILRACE_SYSLOG_LISTEN", ","},
      {"TAILRACE_SYSLOG_LISTEN", "off,:1"},
      {"TAILRACE_HTTPS_LISTEN", "example.com:443"},
      {"TAILRACE_SYSLOG_TLS_LISTEN", "6514"},
      {"TAILRACE_PUBLIC_URL", "ftp://x"},
      {"TAILRACE_PUBLIC_URL", "https://"},
      {"TAILRACE_THREADS", "0"},
      {"TAILRACE_THREADS", "-1"},
      {"TAILRACE_GRACE", "30"},
      {"TAILRACE_CHANNEL_RECORDS", "1e3"},
      {"TAILRACE_CHANNEL_BYTES", "8MB"},
      {"TAILRACE_CHANNEL_AGE", "0s"},
      {"TAILRACE_MEMORY_BYTES", "1K"},
      {"TAILRACE_ACK", "disk"},
      {"TAILRACE_DISK_BYTES", "63M"},
      {"TAILRACE_DRAIN_ALLOW", "10.0.0.0/33"},
      {"TAILRACE_DRAIN_DENY", "example.com"},
      {"TAILRACE_DNS", "ns.example.com:53"},
  };
  for (const auto& [name, value] : wrong) {
    CAPTURE(name);
    CAPTURE(value);
    const auto out = read({{name, value}});
    CHECK_FALSE(out.settings);
    CHECK(out.error.starts_with(std::string(name) + "=" + value + ": takes "));
  }
}

TEST_CASE("no secret in an error") {
  CHECK(read({{"TAILRACE_AUTH", "hunter2"}}).error == "TAILRACE_AUTH=***: takes user:password");
  for (const char* value : {":1?token=hunter2,:2", ":1?hunter2", ":1?tok=hunter2,:2", ":1?a?hunter2"})
    CHECK(read({{"TAILRACE_SYSLOG_LISTEN", value}}).error.find("hunter2") == std::string::npos);
  CHECK(read({{"TAILRACE_CLUSTER", "nats://u:hunter2@a:4222"}}).error ==
        "TAILRACE_CLUSTER=nats://***@a:4222: not built yet");
}

TEST_CASE("parts that are not built are refused, their `off` is not") {
  for (const SettingSpec& spec : setting_specs()) {
    if (spec.kind != SettingSpec::unbuilt) continue;
    const std::string name(spec.variable);
    CAPTURE(name);
    CHECK(read({{name, "x"}}).error == name + "=x: not built yet");
    CHECK(read({{name, std::string(spec.standard)}}).settings);
  }
}

TEST_CASE("an unknown TAILRACE_ variable is a warning, the commands' own are known") {
  const auto out = read({{"TAILRACE_HTPP_LISTEN", "x"},
                         {"TAILRACE_URL", "http://x"},
                         {"TAILRACE_APP", "shop"},
                         {"TAILRACE_AUTH_FILE", "/run/auth"},
                         {"HOME", "/"}});
  REQUIRE(out.settings);
  CHECK(out.warnings ==
        std::vector<std::string>{
            "TAILRACE_HTPP_LISTEN: no such setting, ignored, did you mean TAILRACE_HTTP_LISTEN?"});
}

TEST_CASE("each setting's flag") {
  CHECK(setting_specs().front().flag() == "--http-listen");
  CHECK(setting_specs().back().flag() == "--ssl-cert-file");
}

// ---- all there is to say -------------------------------------------------------------------------------

TEST_CASE("each problem is told, and what is refused is as if it were not there") {
  const SettingsReport report = report_settings(
      {{"TAILRACE_GRACE", "soon"}},
      {{"TAILRACE_THREADS", "0"}, {"TAILRACE_HTTPS_LISTEN", ":1"}, {"TAILRACE_HTPS_LISTEN", ":2"}},
      [](const std::string&) { return std::nullopt; });
  CHECK(report.problems ==
        std::vector<std::string>{"TAILRACE_THREADS=0: takes a number from 1 to 256",
                                 "TAILRACE_GRACE=soon: takes a duration such as 500ms, 30s, 5m",
                                 "TAILRACE_TLS_CERT: TAILRACE_HTTPS_LISTEN needs it",
                                 "TAILRACE_TLS_KEY: TAILRACE_HTTPS_LISTEN needs it"});
  CHECK(report.unknown == std::vector<std::string>{"TAILRACE_HTPS_LISTEN"});
  CHECK(report.settings.grace == std::chrono::seconds(30));
  CHECK(report.settings.threads >= 1);
  CHECK(report.settings.https_listen == ":1");
}

TEST_CASE("each line of a limits file that is none is told") {
  const SettingsReport report = report_settings(
      {}, {{"TAILRACE_LIMITS_FILE", "limits"}},
      [](const std::string&) { return "one\nTAILRACE_GRACE=1s\nthree\nTAILRACE_SERIES=x\n"; });
  CHECK(report.problems == std::vector<std::string>{"TAILRACE_LIMITS_FILE=limits: line 1 takes NAME=value",
                                                    "TAILRACE_LIMITS_FILE=limits: line 3 takes NAME=value",
                                                    "TAILRACE_SERIES=x: takes a number from 0 to 100000000"});
  CHECK(report.settings.grace == std::chrono::seconds(1));
  CHECK(report.settings.series == 200'000);
}

TEST_CASE("where each value is from, and no secret beside it") {
  const SettingsReport report = report_settings(
      {{"TAILRACE_THREADS", "2"}},
      {{"PORT", "80"},
       {"TAILRACE_AUTH_FILE", "/a"},
       {"TAILRACE_LIMITS_FILE", "/l"},
       {"STATE_DIRECTORY", "/s"},
       {"TAILRACE_SYSLOG_LISTEN", ":1?token=" + token}},
      [](const std::string& path) { return path == "/a" ? "u:hunter2" : "TAILRACE_GRACE=1s\n"; });
  const auto origin = [&](std::string_view variable) {
    for (const auto& one : report.origins)
      if (one.spec->variable == variable) return one.shown + " " + one.from;
    return std::string();
  };
  CHECK(origin("TAILRACE_THREADS") == "2 flag");
  CHECK(origin("TAILRACE_HTTP_LISTEN") == "0.0.0.0:80 environment, PORT");
  CHECK(origin("TAILRACE_AUTH") == "*** file /a");
  CHECK(origin("TAILRACE_GRACE") == "1s TAILRACE_LIMITS_FILE");
  CHECK(origin("TAILRACE_DATA_DIR") == "/s environment, STATE_DIRECTORY");
  CHECK(origin("TAILRACE_CHANNEL_BYTES") == "1G ");
  CHECK(origin("TAILRACE_SYSLOG_LISTEN") == ":1?token=*** environment");
  CHECK(report.origins.size() == setting_specs().size());
}

// ---- the data dir ----------------------------------------------------------------------------------------

TEST_CASE("with a data dir: durable, and cursors may lag further") {
  const auto out = read({{"TAILRACE_DATA_DIR", "d"}});
  REQUIRE(out.settings);
  CHECK(out.settings->data_dir == "d");
  CHECK(out.settings->ack == Ack::durable);
  CHECK(out.settings->channel_bytes == 1u << 30);
  const auto chosen = read({{"TAILRACE_DATA_DIR", "d"},
                            {"TAILRACE_ACK", "memory"},
                            {"TAILRACE_CHANNEL_BYTES", "8M"},
                            {"TAILRACE_DISK_BYTES", "64M"}});
  REQUIRE(chosen.settings);
  CHECK(chosen.settings->ack == Ack::memory);
  CHECK(chosen.settings->channel_bytes == 8u << 20);
  CHECK(chosen.settings->disk_bytes == 64u << 20);
}

TEST_CASE("systemd's state directory is the data dir, unless another one is given") {
  CHECK(read({{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}}).settings->data_dir == "/var/lib/a");
  CHECK(read({{"STATE_DIRECTORY", "/var/lib/a"}, {"TAILRACE_DATA_DIR", "d"}}).settings->data_dir == "d");
  CHECK(read({{"STATE_DIRECTORY", "/var/lib/a"}}, {{"TAILRACE_DATA_DIR", "d"}}).settings->data_dir == "d");
}

TEST_CASE("nothing is durable without a data dir") {
  CHECK(read({{"TAILRACE_ACK", "durable"}}).error == "TAILRACE_ACK=durable: needs TAILRACE_DATA_DIR");
  CHECK(read({{"TAILRACE_ACK", "memory"}}).settings);
}

// ---- limits that change ----------------------------------------------------------------------------------

namespace {

/// Settings with a limits file, which a test writes again.
struct Changing {
  SettingsOutcome start() { return read_settings(flags, environment, reader()); }
  LimitsOutcome reread(Settings& settings) { return reread_limits(settings, flags, environment, reader()); }
  ReadFile reader() {
    return [this](const std::string& path) { return path == "limits" ? file : std::nullopt; };
  }

  std::optional<std::string> file;
  SettingValues flags, environment{{"TAILRACE_LIMITS_FILE", "limits"}};
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the limits file goes before flag and environment; comments, blank lines, quotes, others' lines") {
  Changing c;
  c.flags = {{"TAILRACE_CHANNEL_RATE", "7"}};
  c.environment["TAILRACE_CHANNEL_RECORDS"] = "8";
  c.environment["TAILRACE_HTTP_LISTEN"] = "127.0.0.1:1";
  c.file =
      "# limits\n\n ; more\r\nTAILRACE_CHANNEL_RATE=100\r\n  TAILRACE_GRACE=\"1m\"\n"
      "TAILRACE_CHANNEL_AGE='2d'\nPATH=/bin\nTAILRACE_HTTP_LISTEN=127.0.0.1:1\nTAILRACE_DISK_BYTES=1G";
  const auto out = c.start();
  REQUIRE(out.settings);
  CHECK(out.settings->channel_rate == 100);
  CHECK(out.settings->grace == std::chrono::minutes(1));
  CHECK(out.settings->channel_age == std::chrono::hours(48));
  CHECK(out.settings->channel_records == 8);
  CHECK(out.settings->disk_bytes == 1u << 30);
  CHECK(out.warnings.empty());
}

TEST_CASE("a limits file that is no good stops the start; names that mean nothing there are told") {
  Changing c;
  CHECK(c.start().error == "TAILRACE_LIMITS_FILE=limits: takes a readable file of NAME=value lines");
  c.file = "TAILRACE_GRACE=1m\nnonsense\n";
  CHECK(c.start().error == "TAILRACE_LIMITS_FILE=limits: line 2 takes NAME=value");
  c.file = "=1\n";
  CHECK(c.start().error == "TAILRACE_LIMITS_FILE=limits: line 1 takes NAME=value");
  c.file = "TAILRACE_GRACE=soon\n";
  CHECK(c.start().error == "TAILRACE_GRACE=soon: takes a duration such as 500ms, 30s, 5m");
  c.file = "TAILRACE_GRACF=1m\nTAILRACE_THREADS=3\nTAILRACE_AUTH=a:b\n";
  const auto out = c.start();
  REQUIRE(out.settings);
  CHECK(out.settings->auth_generated);
  CHECK(out.warnings == Lines{"TAILRACE_AUTH: no limit, ignored in TAILRACE_LIMITS_FILE",
                              "TAILRACE_GRACF: no such setting, ignored, did you mean TAILRACE_GRACE?",
                              "TAILRACE_THREADS: no limit, ignored in TAILRACE_LIMITS_FILE"});
}

TEST_CASE("read again: what changed, what went back to its default, what is no good and stays") {
  Changing c;
  c.file = "TAILRACE_CHANNEL_RATE=100\nTAILRACE_CHANNEL_RECORDS=10\n";
  Settings s = *c.start().settings;
  CHECK(c.reread(s).changed.empty());

  c.file = "TAILRACE_CHANNEL_RATE=many\nTAILRACE_MEMORY_BYTES=64M\nTAILRACE_CHANNEL_AGE=0s\n";
  const LimitsOutcome out = c.reread(s);
  CHECK(out.changed == Lines{"TAILRACE_CHANNEL_RECORDS=1500", "TAILRACE_MEMORY_BYTES=64M"});
  CHECK(out.problems ==
        Lines{"TAILRACE_CHANNEL_AGE=0s: takes a duration such as 30m, 12h, 7d; 7d is kept",
              "TAILRACE_CHANNEL_RATE=many: takes records per second, from 1 to 1000000000, or "
              "off; 100 is kept"});
  CHECK(s.channel_rate == 100);
  CHECK(s.channel_records == 1500);
  CHECK(s.memory_bytes == 64u << 20);
  CHECK(s.channel_age == std::chrono::hours(24 * 7));

  c.file = "TAILRACE_CHANNEL_RATE=off\nTAILRACE_MEMORY_BYTES=64M\n";
  CHECK(c.reread(s).changed == Lines{"TAILRACE_CHANNEL_RATE=off"});
  CHECK(s.channel_rate == 0);

  for (const auto& bad : {std::optional<std::string>(), std::optional<std::string>("nonsense")}) {
    c.file = bad;
    const LimitsOutcome nothing = c.reread(s);
    CHECK(nothing.changed.empty());
    CHECK(nothing.problems.size() == 1);
    CHECK(s.memory_bytes == 64u << 20);
  }
}

TEST_CASE("read again with a data dir: what the file says no more has the default of one") {
  Changing c;
  c.environment["TAILRACE_DATA_DIR"] = "d";
  c.file = "TAILRACE_CHANNEL_BYTES=8M\n";
  Settings s = *c.start().settings;
  CHECK(s.channel_bytes == 8u << 20);
  c.file = "";
  CHECK(c.reread(s).changed == Lines{"TAILRACE_CHANNEL_BYTES=1G"});
  CHECK(s.channel_bytes == 1u << 30);
  CHECK(s.ack == Ack::durable);
}
