#include "cli/send_settings.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace tailrace;

namespace {

const std::string token = "t.3f1c1f2e-0000-4000-8000-000000000001";

SendSettingsOutcome read(const SendFlags& flags, const SettingValues& environment = {}) {
  const ReadFile files = [](const std::string& path) -> std::optional<std::string> {
    if (path == "/run/url") return "https://token:" + token + "@a.example/logs\n";
    if (path == "/run/bearer") return token + "\r\n";
    return std::nullopt;
  };
  return read_send_settings(flags, environment, files, "machine");
}

SendSettings good(const SendFlags& flags, const SettingValues& environment = {}) {
  const SendSettingsOutcome outcome = read(flags, environment);
  REQUIRE_MESSAGE(outcome.settings.has_value(), outcome.error);
  return *outcome.settings;
}

std::string path_of(const std::string& url) {
  SendFlags flags;
  flags.url = url;
  return good(flags).far_end.target.request_path;
}

}  // namespace

TEST_CASE("where to: the flag, the environment, a file, Logplex's name") {
  SendFlags flags;
  const SettingValues all{{"LOGS_URL", "http://b.example/in"},
                          {"LOGS_URL_FILE", "/run/url"},
                          {"LOGPLEX_URL", "http://c.example/in"}};
  flags.url = "http://d.example/in";
  CHECK(good(flags, all).far_end.target.host == "d.example");
  CHECK(good({}, all).far_end.target.host == "b.example");
  CHECK(
      good({}, {{"LOGS_URL_FILE", "/run/url"}, {"LOGPLEX_URL", "http://c.example/in"}}).far_end.target.host ==
      "a.example");
  CHECK(good({}, {{"LOGPLEX_URL", "http://c.example/in"}}).far_end.target.host == "c.example");
  CHECK(read({}).error.starts_with("where to?"));
  CHECK(read({}, {{"LOGS_URL_FILE", "/run/none"}}).error == "LOGS_URL_FILE: /run/none cannot be read");
}

TEST_CASE("no path means /logs, and the query is the far end's") {
  CHECK(path_of("http://h") == "/logs");
  CHECK(path_of("http://h:8601/") == "/logs");
  CHECK(path_of("http://u:p@h?gzip=1") == "/logs?gzip=1");
  CHECK(path_of("http://h/?a=b#c") == "/logs?a=b");
  CHECK(path_of("http://h/in?format=json&batch_bytes=x") == "/in?format=json&batch_bytes=x");
}

TEST_CASE("loopback and literals are the owner's to choose") {
  CHECK(path_of("http://127.0.0.1:1/logs") == "/logs");
  CHECK(path_of("https://[::1]:1/logs") == "/logs");
}

TEST_CASE("as whom, and under which name") {
  SendFlags flags;
  flags.url = "https://token:" + token + "@h/logs";
  SendSettings settings = good(flags);
  CHECK(settings.far_end.target.authorization == "Basic " + to_base64("token:" + token));
  CHECK(settings.fields.app == token);
  CHECK(settings.far_end.options.sender->app == token);
  CHECK(settings.fields.host == "machine");
  CHECK(settings.fields.procid == "-");
  CHECK(good(flags, {{"DYNO", "web.3"}}).fields.procid == "web.3");
  flags.appname = "shop";
  CHECK(good(flags).fields.app == "shop");
  CHECK(read(flags, {{"LOGS_BEARER_TOKEN", "x"}}).error ==
        "a bearer token, or a user in the URL: one of them");

  flags.url = "https://h/logs";
  CHECK(good(flags).far_end.target.authorization == "Basic " + to_base64("token:shop"));
  settings = good(flags, {{"LOGS_BEARER_TOKEN_FILE", "/run/bearer"}});
  CHECK(settings.far_end.target.authorization == "Bearer " + token);
  CHECK(settings.fields.app == "shop");
  flags.appname.clear();
  CHECK(good(flags, {{"LOGS_BEARER_TOKEN", token}}).fields.app == token);
  CHECK(good(flags).far_end.target.authorization.empty());
  CHECK(good(flags).fields.app == "app");
}

TEST_CASE("defaults and bounds") {
  SendFlags flags;
  flags.url = "http://h";
  const SendSettings settings = good(flags);
  CHECK(settings.buffer == 8u << 20);
  CHECK(settings.grace == std::chrono::seconds(30));
  CHECK_FALSE(settings.block.has_value());
  CHECK(settings.fields.pri == 190);
  CHECK(settings.fields.max_line == 10'000);
  CHECK(settings.far_end.options.batch_delay.count() == 0);
  CHECK(settings.far_end.options.format == DrainOptions::Format::rfc5424);
  const auto wrong = [&](std::string SendFlags::* flag, const std::string& value) {
    SendFlags other = flags;
    other.*flag = value;
    return read(other).error;
  };
  CHECK(wrong(&SendFlags::batch_size, "500") == "--batch-size takes 1K to 8M: bytes, not lines");
  CHECK(wrong(&SendFlags::buffer, "1K") == "--buffer takes 256K to 16G");
  CHECK(wrong(&SendFlags::max_line, "10001") == "--max-line-length takes 64 to 10000 bytes");
  CHECK(wrong(&SendFlags::prival, "192") == "--prival takes 0 to 191");
  CHECK(wrong(&SendFlags::full, "x") == "--full takes drop or block, not x");
  CHECK(wrong(&SendFlags::grace, "30") == "--grace takes a time such as 30s");
  CHECK(wrong(&SendFlags::format, "json") == "--input-format takes raw, rfc5424 or logplex, not json");
  CHECK(wrong(&SendFlags::appname, std::string(49, 'a')).starts_with("--appname takes visible ASCII"));
  CHECK(wrong(&SendFlags::hostname, "a\nb").starts_with("--hostname takes visible ASCII"));
  CHECK(wrong(&SendFlags::msgid, "- -").empty());
  CHECK(wrong(&SendFlags::url, "ftp://u:secret@h").find("secret") == std::string::npos);
}
