#include "drains/signature.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("the vector that the specification's libraries share") {
  CHECK(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                          1614265330,
                          R"({"test": 2432232314})") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("a secret without whsec_ is its bytes") {
  // python3: b64encode(hmac.new(b'0123456789abcdef', b'ID.1700000000.' + body, 'sha256').digest())
  CHECK(webhook_signature("0123456789abcdef", "ID", 1700000000, "") ==
        "v1,ZtsKOMkbVlJ/jNhfB+hK2eVkAUiYbXZSDCBZZu2jFaI=");
  CHECK(webhook_signature("0123456789abcdef", "ID", 1700000000, std::string("a\0\xff\n", 4)) ==
        "v1,u18iLrMViRYtNuJhSbTZYAUjZuIRjgj0qSlhImVmdBw=");
  CHECK(webhook_signature(std::string(256, 'k'), "ID", 1700000000, std::string(100'000, 'b')) ==
        "v1,mcjG2Y2teA0L9MVl4MXECCBC+S83yaEwJYDh+F2ivzw=");
}

TEST_CASE("what may be a secret") {
  CHECK(is_signing_secret("0123456789abcdef"));
  CHECK(is_signing_secret(std::string(256, 'x')));
  CHECK_FALSE(is_signing_secret(""));
  CHECK_FALSE(is_signing_secret("0123456789abcde"));
  CHECK_FALSE(is_signing_secret(std::string(257, 'x')));
  CHECK(is_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  CHECK_FALSE(is_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"));  // no base64
  CHECK_FALSE(is_signing_secret("whsec_MfKQ9r8GKYqrTwjUPD8="));             // 14 bytes
}
