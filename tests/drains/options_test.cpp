#include "drains/options.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "drains/target.h"

using namespace tailrace;
using nlohmann::json;
using Encoding = DrainOptions::Encoding;

namespace {

const AddressPolicy kStrict;

JudgedTarget judged(const std::string& url, const json& options = nullptr) {
  return judge_drain(url, options.is_null() ? std::string() : stored_options(options), kStrict);
}
std::string error_of(const std::string& url, const json& options = nullptr) {
  return judged(url, options).error;
}
std::string path_of(const std::string& url) {
  const JudgedTarget target = judged(url);
  return target.error.empty() ? target.target.request_path : "error: " + target.error;
}

constexpr auto kHttps = "https://x.example/in";

}  // namespace

TEST_CASE("the far end never sees an option, and all else byte for byte") {
  CHECK(path_of("https://x.example/in?gzip=1") == "/in");
  CHECK(path_of("https://x.example?gzip") == "/");
  CHECK(path_of("https://x.example/in?a=%41&gzip=1&b=a+b&&c&batch_bytes=2M&a=2") == "/in?a=%41&b=a+b&&c&a=2");
  CHECK(path_of("https://x.example/in?g%7Aip=1&a") == "/in?a");  // the same name, otherwise written
  CHECK(path_of("https://x.example/in?headers=X-A:1&headers=X-B:2&z=1") == "/in?z=1");
  CHECK(path_of("https://x.example/in?Gzip=1") == "/in?Gzip=1");
  CHECK(path_of("https://x.example/in?source=a&compress=1") == "/in?source=a&compress=1");
  CHECK(path_of("syslog://x.example?format=rfc5424") == "/");
  CHECK(error_of("syslog://x.example?a=1") == "invalid_tcpsyslog_uri");
}

TEST_CASE("values in a URL") {
  const auto of = [](const std::string& query) { return judged("https://x.example/?" + query).options; };
  CHECK(of("").format == DrainOptions::Format::logplex);
  CHECK(of("format=rfc5424").format == DrainOptions::Format::rfc5424);
  CHECK(of("gzip").encoding == Encoding::gzip);
  CHECK(of("zstd=true").encoding == Encoding::zstd);
  CHECK(of("gzip=0&zstd=1").encoding == Encoding::zstd);
  CHECK(of("batch_bytes=1K").batch_bytes == 1024);
  CHECK(of("batch_bytes=8M").batch_bytes == 8u << 20);
  CHECK(of("batch_delay=1500ms").batch_delay == std::chrono::milliseconds(1500));
  using Headers = std::vector<std::pair<std::string, std::string>>;
  CHECK(of("headers=X-Team:%20shop%20one%20&headers=x_b:").headers ==
        Headers{{"X-Team", "shop one"}, {"x_b", ""}});
}

TEST_CASE("a filter is compiled wherever it stands") {
  const JudgedTarget in_url = judged("https://x.example/?filter=status%3E%3D500%20-%22a%20b%22&z=1");
  CHECK(in_url.options.filter == "status>=500 -\"a b\"");
  CHECK(in_url.options.wanted != nullptr);
  CHECK(in_url.target.request_path == "/?z=1");
  CHECK(judged("syslog://x.example", {{"filter", "a"}}).options.wanted != nullptr);
  CHECK(judged("https://x.example/?filter=a", {{"filter", ""}}).options.wanted == nullptr);
  CHECK(judged(kHttps).options.wanted == nullptr);
  CHECK(error_of("https://x.example/?filter=status%3E%3D") == "filter: status>=: a number is missing (at 9)");
  CHECK(error_of("https://x.example/?filter=%ff") == "filter: takes UTF-8");
  CHECK(error_of(kHttps, {{"filter", 5}}) == "filter: takes a text");
}

TEST_CASE("what is wrong with a value in a URL") {
  const auto wrong = [](const std::string& query) { return error_of("https://x.example/?" + query); };
  CHECK(wrong("format=syslog") == "format: takes logplex or rfc5424");
  CHECK(wrong("gzip=yes") == "gzip: takes 1 or 0");
  CHECK(wrong("gzip=1&zstd=1") == "gzip, zstd: one of them");
  for (const char* bytes : {"", "0", "1023", "8193K", "9M", "1KB", "-1", "99999999999999999999"})
    CHECK_MESSAGE(wrong(std::string("batch_bytes=") + bytes) == "batch_bytes: takes 1K to 8M", bytes);
  for (const char* delay : {"", "1", "61s", "2m", "-1s"})
    CHECK_MESSAGE(wrong(std::string("batch_delay=") + delay) == "batch_delay: takes 0s to 60s", delay);
  CHECK(wrong("batch_bytes=1M&a=1&batch_bytes=2M") == "batch_bytes: stands twice");
  for (const char* name : {"signing_secret", "tls_ca", "tls_cert", "tls_key"})
    CHECK(wrong(std::string(name) + "=0123456789abcdef") ==
          std::string(name) + ": stands in the JSON beside the URL alone");
}

TEST_CASE("headers that are refused, and nothing of them is told") {
  const auto wrong = [](const json& headers) { return error_of(kHttps, {{"headers", headers}}); };
  CHECK(wrong({{"X-Team", "shop"}}).empty());
  for (const char* name :
       {"host", "Content-Length", "content-TYPE", "Content-Encoding", "Transfer-Encoding", "Connection", "TE",
        "Trailer", "Upgrade", "Expect", "User-Agent", "logplex-frame-id", "Webhook-Id", "keep-alive"})
    CHECK_MESSAGE(wrong({{name, "s3cret"}}) == "headers: one of them is the drain's own to set", name);
  for (const char* name : {"", "a b", "a:", "s3cret\r\nX", "\xc3\xa9", "a\"", "(a)"})
    CHECK_MESSAGE(wrong({{name, "x"}}) == "headers: a name is letters, digits and -, as RFC 9110 has it",
                  name);
  for (const std::string& value : {std::string("s3cret\r\nX: y"), std::string("a\nb"), std::string("a\0b", 3),
                                   std::string("\xc3\xa9"), std::string("a\tb"), std::string("\x7f")})
    CHECK_MESSAGE(wrong({{"X-A", value}}) == "headers: a value takes visible ASCII and blanks", value);
  CHECK(wrong({{"X-A", "1"}, {"x-a", "2"}}) == "headers: one of them stands twice");
  CHECK(wrong({{"X-A", 1}}).starts_with("headers: takes NAME:VALUE in a URL"));
  CHECK(wrong("X-A:1").starts_with("headers: takes NAME:VALUE in a URL"));
  CHECK(error_of("https://x.example/?headers=s3cret").find("s3cret") == std::string::npos);

  json many;
  for (int i = 0; i < 16; ++i) many["X-" + std::to_string(i)] = "v";
  CHECK(wrong(many).empty());
  many["X-16"] = "v";
  CHECK(wrong(many) == "headers: takes 16 at most");
  CHECK(wrong({{"X-A", std::string(8192 - 3 - 4, 'v')}}).empty());
  CHECK(wrong({{"X-A", std::string(8192 - 3 - 3, 'v')}}) == "headers: takes 8K at most together");
}

TEST_CASE("Authorization is the URL's user or a header") {
  const json options = {{"headers", {{"authorization", "Bearer s3cret"}}}};
  CHECK(error_of(kHttps, options).empty());
  CHECK(error_of("https://u:p@x.example/", options) ==
        "headers: Authorization is there already, from the URL's user");
}

TEST_CASE("JSON goes first") {
  const auto both = [](const std::string& query, const json& options) {
    const JudgedTarget target = judged("https://x.example/?" + query, options);
    CHECK(target.error == "");
    return target.options;
  };
  CHECK(both("gzip=1", {{"zstd", true}}).encoding == Encoding::zstd);
  CHECK(both("gzip=1", {{"gzip", false}}).encoding == Encoding::identity);
  CHECK(both("gzip=1", {{"zstd", false}}).encoding == Encoding::gzip);
  CHECK(both("batch_bytes=2M", {{"batch_bytes", "4M"}}).batch_bytes == 4u << 20);
  CHECK(both("batch_bytes=2M", {{"batch_bytes", nullptr}}).batch_bytes == 2u << 20);
  CHECK(both("headers=X-A:1", {{"headers", {{"X-B", "2"}}}}).headers.size() == 1);
  CHECK(both("", {{"batch_bytes", 2048}, {"gzip", 1}}).batch_bytes == 2048);
  CHECK(both("", {{"signing_secret", "0123456789abcdef"}}).signing_secret == "0123456789abcdef");
  CHECK(error_of("https://x.example/?batch_bytes=1", {{"batch_bytes", "4M"}}) ==
        "batch_bytes: takes 1K to 8M");
}

TEST_CASE("what is wrong with a value in JSON") {
  CHECK(error_of(kHttps, {{"gzip", true}, {"zstd", "1"}}) == "gzip, zstd: one of them");
  CHECK(error_of(kHttps, {{"gzip", 2}}) == "gzip: takes 1 or 0");
  CHECK(error_of(kHttps, {{"gzip", json::array()}}) == "gzip: takes 1 or 0");
  CHECK(error_of(kHttps, {{"batch_bytes", -1}}) == "batch_bytes: takes 1K to 8M");
  CHECK(error_of(kHttps, {{"batch_delay", 5}}) == "batch_delay: takes 0s to 60s");
  CHECK(error_of(kHttps, {{"format", true}}) == "format: takes logplex or rfc5424");
  CHECK(error_of(kHttps, {{"signing_secret", "s3cret"}}) == "signing_secret: takes 16 to 256 characters");
  CHECK(error_of(kHttps, {{"signing_secret", "whsec_s3cret-s3cret-s3cret"}}) ==
        "signing_secret: base64 of 16 bytes or more behind whsec_, 256 characters at most");
  CHECK(error_of(kHttps, {{"signing_secret", std::string(257, 'x')}}) ==
        "signing_secret: takes 16 to 256 characters");
  CHECK(judge_drain(kHttps, "{", kStrict).error == "options: take a JSON object");
}

TEST_CASE("an option that its kind cannot have") {
  constexpr auto http_alone = ": takes a drain of http or https";
  for (const char* name : {"gzip", "zstd"})
    CHECK(error_of("syslog://x.example", {{name, 1}}) == name + std::string(http_alone));
  CHECK(error_of("syslog://x.example?gzip=0") == std::string("gzip") + http_alone);
  CHECK(error_of("syslog://x.example?headers=X-A:1") == std::string("headers") + http_alone);
  CHECK(error_of("syslog://x.example", {{"headers", {{"X-A", "1"}}}}) == std::string("headers") + http_alone);
  CHECK(error_of("syslog://x.example", {{"batch_bytes", "1M"}}) == std::string("batch_bytes") + http_alone);
  CHECK(error_of("syslog://x.example", {{"signing_secret", "0123456789abcdef"}}) ==
        std::string("signing_secret") + http_alone);
  CHECK(error_of("syslog://x.example", {{"gzip", nullptr}}).empty());
  CHECK(judged("syslog://x.example?format=rfc5424").options.format == DrainOptions::Format::rfc5424);
}

TEST_CASE("PEM texts") {
  CHECK(error_of(kHttps, {{"tls_ca", "s3cret"}}) == "tls_ca: no certificate in PEM");
  CHECK(error_of("syslog+tls://x.example", {{"tls_key", "s3cret"}}).starts_with("tls_cert: missing"));
  CHECK(error_of(kHttps, {{"tls_cert", "s3cret"}}).starts_with("tls_key: missing"));
  CHECK(error_of("http://x.example", {{"tls_ca", "x"}}) == "tls_ca: takes a drain with TLS");
  CHECK(error_of("syslog://x.example", {{"tls_key", "x"}}) == "tls_key: takes a drain with TLS");
}

TEST_CASE("what is stored, and what is shown of it") {
  const json object = {{"url", "https://u:s3cret@x.example"},
                       {"since", "oldest"},
                       {"gzip", true},
                       {"filter", nullptr},
                       {"batch_bytes", "2M"},
                       {"headers", {{"X-Team", "s3cret"}}},
                       {"signing_secret", "s3cret-s3cret-s3cret"},
                       {"tls_key", "s3cret"}};
  const std::string stored = stored_options(object);
  CHECK(json::parse(stored) == json{{"gzip", true},
                                    {"batch_bytes", "2M"},
                                    {"headers", {{"X-Team", "s3cret"}}},
                                    {"signing_secret", "s3cret-s3cret-s3cret"},
                                    {"tls_key", "s3cret"}});
  CHECK(shown_options(stored) == json{{"gzip", true},
                                      {"batch_bytes", "2M"},
                                      {"headers", {{"X-Team", "***"}}},
                                      {"signing_secret", "***"},
                                      {"tls_key", "***"}});
  CHECK(shown_options(R"({"headers":"s3cret","tls_cert":"a PRIVATE KEY","other":"s3cret"})")
            .dump()
            .find("s3cret") == std::string::npos);
  CHECK(stored_options({{"url", "x"}}).empty());
  CHECK(stored_options(json::array()).empty());
  CHECK(shown_options("") == json::object());
}

TEST_CASE("what is shown of options in a URL") {
  const std::string url =
      "https://x.example/p?gzip=1&headers=X-Team:s3cret&key=s3cret&headers&signing_secret=s3cret";
  CHECK(shown_drain_url(url) == "https://x.example/p?gzip=1&headers=***&key=***&***&signing_secret=***");
}
