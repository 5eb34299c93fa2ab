#include "cli/demo_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cli/target.h"

using namespace tailrace;

namespace {

struct TempFile {
  std::string path = "/tmp/tailrace-test-" + std::to_string(::getpid()) + ".json";
  ~TempFile() { ::unlink(path.c_str()); }
};

}  // namespace

TEST_CASE("a demo file is read back by its user while its process lives") {
  TempFile file;
  REQUIRE(write_demo_file({"http://127.0.0.1:8001", "u:p", ::getpid()}, file.path));
  const auto demo = read_demo_file(file.path);
  REQUIRE(demo);
  CHECK(demo->url == "http://127.0.0.1:8001");
  CHECK(demo->auth == "u:p");

  SUBCASE("readable by others: refused") {
    ::chmod(file.path.c_str(), 0644);
    CHECK_FALSE(read_demo_file(file.path));
  }
  SUBCASE("a link: refused") {
    const std::string link = file.path + ".link";
    REQUIRE(::symlink(file.path.c_str(), link.c_str()) == 0);
    CHECK_FALSE(read_demo_file(link));
    ::unlink(link.c_str());
  }
  SUBCASE("its process is gone: refused") {
    REQUIRE(write_demo_file({"http://127.0.0.1:8001", "u:p", 0x7ffffff0}, file.path));
    CHECK_FALSE(read_demo_file(file.path));
  }
  SUBCASE("not what it should hold: refused") {
    std::ofstream(file.path) << R"({"url":1,"auth":"a","pid":1})";
    CHECK_FALSE(read_demo_file(file.path));
    std::ofstream(file.path) << "[";
    CHECK_FALSE(read_demo_file(file.path));
  }
  SUBCASE("removed by its own process alone") {
    remove_demo_file(::getpid() + 1, file.path);
    CHECK(read_demo_file(file.path));
    remove_demo_file(::getpid(), file.path);
    CHECK_FALSE(read_demo_file(file.path));
  }
}

TEST_CASE("whom a command talks to") {
  const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  const DemoFile demo{"http://127.0.0.1:8001", "demo:pw", 1};

  auto target = find_target("", "", {}, none, std::nullopt);
  CHECK(target.url == "http://127.0.0.1:8001");
  CHECK(target.auth == "");

  target = find_target("", "", {}, none, demo);
  CHECK(target.auth == "demo:pw");

  target = find_target("https://logs.example.com/", "", {}, none, demo);
  CHECK(target.url == "https://logs.example.com");
  CHECK(target.auth == "");  // the demo's credential stays at home

  target = find_target("", "", {{"TAILRACE_AUTH", "u:p"}, {"TAILRACE_URL", "http://x:1"}}, none, demo);
  CHECK(target.url == "http://x:1");
  CHECK(target.auth == "u:p");
  CHECK(find_target("", "f:g", {{"TAILRACE_AUTH", "u:p"}}, none, demo).auth == "f:g");
}
