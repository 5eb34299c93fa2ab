#include "base/url.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("a drain's URL in its parts") {
  const Url url =
      *parse_url("HTTPS://us%40er:p%3Ass@Logs.Example:8443/a%20b/c?format=rfc5424&filter=a%3Db&x#top");
  CHECK(url.scheme == "https");
  CHECK(url.user == "us@er");
  CHECK(url.password == "p:ss");
  CHECK(url.host == "logs.example");
  CHECK_FALSE(url.host_is_literal);
  CHECK(url.port == 8443);
  CHECK(url.path == "/a%20b/c");
  CHECK(url.query_text == "format=rfc5424&filter=a%3Db&x");
  REQUIRE(url.query.size() == 3);
  CHECK(url.query[1] == std::pair<std::string, std::string>("filter", "a=b"));
  CHECK(url.query[2] == std::pair<std::string, std::string>("x", ""));
  CHECK(url.authority() == "logs.example:8443");
  CHECK(redacted(url, {"format", "filter"}) ==
        "https://us%40er:***@logs.example:8443/a%20b/c?format=rfc5424&filter=a%3Db&***");
  CHECK(redacted(*parse_url("http://:t0ken@h/?key=s3cret&gzip=1"), {"gzip"}) ==
        "http://:***@h/?key=***&gzip=1");
  CHECK(redacted(*parse_url("https://t0ken@h/in"), {}) == "https://***@h/in");
  CHECK(redacted(*parse_url("https://t0ken:@h/in"), {}) == "https://***@h/in");
  CHECK(redacted(*parse_url("https://@h/in"), {}) == "https://h/in");

  const Url plain = *parse_url("syslog+tls://h");
  CHECK(plain.scheme == "syslog+tls");
  CHECK(plain.port == 0);
  CHECK(plain.path.empty());
  CHECK(plain.authority() == "h");
  CHECK(parse_url("http://[2001:DB8::1]:80/")->host == "2001:db8::1");
  CHECK(parse_url("http://[2001:DB8::1]:80/")->authority() == "[2001:db8::1]:80");
  CHECK(parse_url("http://1.2.3.4.example/x")->host == "1.2.3.4.example");
  CHECK(parse_url("http://h/a@b:c?d=e/f?g")->query_text == "d=e/f?g");
  CHECK(parse_url("http://under_score.example./")->host == "under_score.example.");
}

TEST_CASE("a host that is an address in any notation is known as one") {
  for (const std::string host :
       {"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F.1", "0177.0.0.1", "0x7f.0.0.0x1",
        "127.0.0.1.", "%31%32%37.0.0.1", "017700000001"}) {
    const auto url = parse_url("http://" + host + "/");
    REQUIRE_MESSAGE(url.has_value(), host);
    CHECK_MESSAGE(url->host_is_literal, host);
    CHECK_MESSAGE(url->host == "127.0.0.1", host);
  }
  CHECK(parse_url("http://0")->host == "0.0.0.0");
  CHECK(parse_url("http://1.2.3.0x/")->host == "1.2.3.0");  // `0x` is zero to some resolvers
  CHECK(parse_url("http://[::ffff:127.0.0.1]")->host_is_literal);
  CHECK(parse_url("http://[64:ff9b::7f00:1]")->host == "64:ff9b::7f00:1");
}

TEST_CASE("what is no URL of a drain") {
  using namespace std::string_literals;
  for (const auto& bad : {""s,
                          "h"s,
                          "//h/"s,
                          "http:"s,
                          "http:h"s,
                          "http://"s,
                          "http:///x"s,
                          "file:///etc/passwd"s,
                          "http://a@b@c"s,
                          "http://a\\@b"s,
                          "http://a b/"s,
                          "http://h/a b"s,
                          "http://h/\t"s,
                          "http://h/\r\nX: y"s,
                          "http://h\0.b/"s,
                          "http://a%00.b"s,
                          "http://a%0d%0a.b"s,
                          "http://a%20b/"s,
                          "http://a%2fb/"s,
                          "http://a%40b/"s,
                          "http://a%5cb/"s,
                          "http://u%0d%0aX@h/"s,
                          "http://u:p%00@h/"s,
                          "http://h/?headers=X%0d%0aY"s,
                          "http://h:0/"s,
                          "http://h:65536/"s,
                          "http://h:-1/"s,
                          "http://h:8a/"s,
                          "http://h:/"s,
                          "http://\xc3\xbc.example/"s,
                          "http://%c3%bc.example/"s,
                          "http://256.1.1.1/"s,
                          "http://1.2.3.4.5/"s,
                          "http://09.1.1.1/"s,
                          "http://127.0.0.1.1.1"s,
                          "http://[fe80::1%25eth0]/"s,
                          "http://[v1.x]/"s,
                          "http://[::1"s,
                          "http://::1/"s,
                          "http://[127.0.0.1]/"s,
                          "http://[::1]x/"s,
                          "http://h/%zz"s,
                          "http://h/?a=%0"s,
                          "http://h/<x>"s,
                          "1http://h/"s,
                          "http://a..b/"s,
                          "http://.a/"s,
                          "http://4294967296/"s,
                          "http://h.0x7f/"s}) {
    CHECK_MESSAGE(!parse_url(bad), bad);
  }
}
