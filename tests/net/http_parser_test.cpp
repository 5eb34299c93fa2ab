#include "net/http_parser.h"

#include <doctest/doctest.h>

#include "tests/net/request_feed.h"

using namespace tailrace;
using namespace tailrace::testing;

TEST_CASE("requests are the same in one piece, byte by byte, and cut anywhere") {
  const std::string chunked = "POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string bytes = chunked + "0\r\n\r\n" + "\r\n\r\nGET /?q=1 HTTP/1.1\r\nHost: h\r\n\r\n" +
                            chunked + "5;x=y\r\nhello\r\n00\r\nTrailer: t\r\n\r\n" +
                            "PUT http://h/a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody" + chunked +
                            "0;ext\r\n\r\n" + "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nok";
  const HttpLimits limits;
  const size_t whole[] = {bytes.size()};
  const auto once = feed_requests(bytes, whole, limits);
  REQUIRE(once.size() == 6);
  for (const FedRequest& fed : once) CHECK(fed.whole);
  CHECK(once[2].body == "hello");
  CHECK(once[3].body == "body");
  CHECK(once[5].body == "ok");
  for (size_t size = 1; size < 40; ++size) {
    const size_t portions[] = {size};
    CHECK(feed_requests(bytes, portions, limits) == once);
  }
  for (size_t at = 1; at < bytes.size(); ++at) {
    const size_t portions[] = {at, bytes.size()};
    CHECK(feed_requests(bytes, portions, limits) == once);
  }
}

TEST_CASE("a limit that is broken is the same fault however the bytes come") {
  HttpLimits limits;
  limits.head_bytes = 300;
  const size_t whole[] = {size_t(-1)}, bytewise[] = {1};
  for (const auto& [bytes, fault] : std::vector<std::pair<std::string, int>>{
           {"GET /" + std::string(400, 'x') + " HTTP/1.1\nHost: h\r\n\r\n", 431},
           {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(400, 'x') + "\n", 431},
           {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0e\r\n", 400},
       }) {
    CAPTURE(bytes);
    const auto once = feed_requests(bytes, whole, limits);
    CHECK(once.back().fault == fault);
    CHECK(feed_requests(bytes, bytewise, limits) == once);
  }
}
