#include "cli/command.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("the nearest command, if any is near") {
  const std::vector<std::string> names = {"serve", "logs", "send", "sink", "version"};
  CHECK(nearest("lgos", names) == "logs");
  CHECK(nearest("log", names) == "logs");
  CHECK(nearest("serv", names) == "serve");
  CHECK(nearest("verison", names) == "version");
  CHECK(nearest("frobnicate", names) == "");
  CHECK(nearest("", names) == "");
}
