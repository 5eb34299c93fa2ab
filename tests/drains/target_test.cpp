#include "drains/target.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

const AddressPolicy kStrict;

std::string error_of(std::string_view url) {
  return judge_drain(url, {}, kStrict).error;
}

}  // namespace

TEST_CASE("good destinations") {
  auto judged = judge_drain("https://u:p%40s@logs.example.com/in?x=1&y=2", {}, kStrict);
  REQUIRE(judged.error.empty());
  CHECK(judged.target.kind == DrainTarget::Kind::https);
  CHECK(judged.target.host == "logs.example.com");
  CHECK(judged.target.port == 443);
  CHECK(judged.target.host_header == "logs.example.com");
  CHECK(judged.target.request_path == "/in?x=1&y=2");
  CHECK(judged.target.authorization == "Basic dTpwQHM=");
  CHECK(judged.target.shown.find("p%40s") == std::string::npos);
  CHECK(judged.target.shown.find("p@s") == std::string::npos);

  judged = judge_drain("http://logs.example.com:8080", {}, kStrict);
  CHECK(judged.target.host_header == "logs.example.com:8080");
  CHECK(judged.target.request_path == "/");
  CHECK(judge_drain("syslog://logs.example.com", {}, kStrict).target.port == 601);
  judged = judge_drain("syslog+tls://logs.example.com", {}, kStrict);
  CHECK(judged.target.kind == DrainTarget::Kind::syslog_tls);
  CHECK(judged.target.port == 6514);
  CHECK(judge_drain("syslog://logs.example.com:514", {}, kStrict).target.port == 514);
}

TEST_CASE("what is refused, and why") {
  CHECK(error_of("") == "invalid_uri");
  CHECK(error_of("no url") == "invalid_uri");
  CHECK(error_of("http://") == "invalid_uri");
  CHECK(error_of("ftp://x.example") == "unknown_scheme: ftp");
  CHECK(error_of("file:///tmp/x") == "file: not built yet");
  CHECK(error_of("http://x.example/%0d%0a") == "");  // stays encoded in the request line
  CHECK(error_of("http://x.example/\r\nX: y") == "invalid_uri");
  for (const auto* url :
       {"http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/", "syslog://10.1.2.3:514", "https://[fd00::1]/"})
    CHECK_MESSAGE(error_of(url) == "address not allowed", url);
  const auto local = AddressPolicy::parse("127.0.0.0/8", "");
  REQUIRE(local.has_value());
  CHECK(judge_drain("http://127.0.0.1:1/", {}, *local).error.empty());
}

TEST_CASE("what is shown of a URL") {
  CHECK(shown_drain_url("https://u:secret@x.example/p?key=secret&filter=a").find("secret") ==
        std::string::npos);
  CHECK(shown_drain_url("https://u:secret@x.example/p?key=secret&filter=a").find("filter=a") !=
        std::string::npos);
  CHECK(shown_drain_url("").empty());
}

TEST_CASE("a sender's URL is taken as it is") {
  auto judged = judge_sender("https://token:t.1@127.0.0.1:8643/logs?format=json&batch_bytes=x");
  REQUIRE(judged.error.empty());
  CHECK(judged.target.kind == DrainTarget::Kind::https);
  CHECK(judged.target.host == "127.0.0.1");
  CHECK(judged.target.port == 8643);
  CHECK(judged.target.request_path == "/logs?format=json&batch_bytes=x");
  CHECK(judged.target.authorization == "Basic dG9rZW46dC4x");
  CHECK(judged.target.shown.find("t.1") == std::string::npos);
  CHECK(judged.options.format == DrainOptions::Format::logplex);
  CHECK(judge_sender("http://h").target.port == 80);
  CHECK(judge_sender("syslog://h").error == "unknown_scheme: syslog");
  CHECK(judge_sender("h").error == "invalid_uri");
}
