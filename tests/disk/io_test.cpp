#include "channels/disk/io.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include "channels/disk/crash_point.h"
#include "tests/disk/scoped_hook.h"
#include "tests/disk/temp_dir.h"

using namespace tailrace;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string read_all(const File& file) {
  std::string text(file.size().value(), '\0');
  CHECK(file.read(0, std::as_writable_bytes(std::span(text))).value() == text.size());
  return text;
}

}  // namespace

TEST_CASE("io: what was written is read, at its place") {
  const TempDir dir;
  File file = File::create(dir / "a").value();
  CHECK(file.write(0, bytes_of("hello world")).has_value());
  CHECK(file.write(6, bytes_of("there")).has_value());
  CHECK(file.sync().has_value());
  CHECK(read_all(file) == "hello there");
  CHECK(read_all(File::open_to_read(dir / "a").value()) == "hello there");

  std::string part(100, '\0');
  CHECK(file.read(9, std::as_writable_bytes(std::span(part))).value() == 2);
  CHECK(part.substr(0, 2) == "re");
  CHECK(file.read(50, std::as_writable_bytes(std::span(part))).value() == 0);

  CHECK(file.truncate(5).has_value());
  CHECK(read_all(file) == "hello");
}

TEST_CASE("io: an allocated file has its size, blocks and zeros, and nobody else's eyes") {
  const TempDir dir;
  File file = File::create(dir / "a").value();
  REQUIRE(file.allocate(1 << 20).has_value());
  CHECK(read_all(file) == std::string(1 << 20, '\0'));
  struct stat status;
  REQUIRE(::stat(file.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_blocks * 512 >= 1 << 20);
}

TEST_CASE("io: failures say why") {
  const TempDir dir;
  const auto code = [](const auto& result) { return result.has_error() ? result.error().value() : 0; };
  CHECK(code(File::open_to_read(dir / "none")) == ENOENT);
  File file = File::create(dir / "a").value();
  CHECK(code(File::create(dir / "a")) == EEXIST);
  CHECK(code(File::open_to_read(dir / "a").value().write(0, bytes_of("x"))) == EBADF);
  CHECK(code(list_dir(dir / "none")) == ENOENT);
  CHECK(code(sync_dir(dir / "none")) == ENOENT);
  CHECK(code(unlink_file(dir / "none")) == ENOENT);
  CHECK(code(rename_file(dir / "none", dir / "b")) == ENOENT);
}

TEST_CASE("io: names of a directory") {
  const TempDir dir;
  CHECK(list_dir(dir.path()).value().empty());
  (void)File::create(dir / "a").value();
  (void)File::create(dir / "b").value();
  REQUIRE(rename_file(dir / "b", dir / "c").has_value());
  REQUIRE(sync_dir(dir.path()).has_value());
  auto names = list_dir(dir.path()).value();
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"a", "c"});
  REQUIRE(unlink_file(dir / "a").has_value());
  CHECK(list_dir(dir.path()).value() == std::vector<std::string>{"c"});
}

TEST_CASE("io: short writes and reads are continued; one that fails on the way is an error") {
  const TempDir dir;
  File file = File::create(dir / "a").value();
  {
    const ScopedHook hook([](const IoStep&, size_t& allowed) {
      allowed = std::min<size_t>(allowed, 3);
      return 0;
    });
    CHECK(file.write(0, bytes_of("hello world")).has_value());
    CHECK(read_all(file) == "hello world");
  }
  int calls = 0;
  const ScopedHook hook([&](const IoStep& step, size_t& allowed) {
    CHECK(step.kind == IoStep::Kind::write);
    CHECK(step.path == dir / "a");
    allowed = 4;
    return ++calls == 2 ? ENOSPC : 0;
  });
  CHECK(file.write(0, bytes_of("HELLO WORLD")).error().value() == ENOSPC);
  set_io_hook(nullptr);
  CHECK(read_all(file) == "HELLo world");
}

TEST_CASE("io: each kind of step can be refused") {
  const TempDir dir;
  File file = File::create(dir / "a").value();
  IoStep::Kind refuse{};
  const ScopedHook hook([&](const IoStep& step, size_t&) { return step.kind == refuse ? EIO : 0; });
  std::byte one[1];
  const auto fails = [&](IoStep::Kind kind, auto&& call) {
    refuse = kind;
    const auto result = call();
    CHECK(result.has_error());
    if (result.has_error()) CHECK(result.error().value() == EIO);
  };
  fails(IoStep::Kind::create, [&] { return File::create(dir / "b"); });
  fails(IoStep::Kind::allocate, [&] { return file.allocate(10); });
  fails(IoStep::Kind::write, [&] { return file.write(0, one); });
  fails(IoStep::Kind::sync, [&] { return file.sync(); });
  fails(IoStep::Kind::truncate, [&] { return file.truncate(1); });
  fails(IoStep::Kind::rename, [&] { return rename_file(dir / "a", dir / "b"); });
  fails(IoStep::Kind::unlink, [&] { return unlink_file(dir / "a"); });
  fails(IoStep::Kind::sync_dir, [&] { return sync_dir(dir.path()); });
  fails(IoStep::Kind::read, [&] { return file.read(0, one); });
  CHECK(file.size().value() == 0);
  CHECK(list_dir(dir.path()).value() == std::vector<std::string>{"a"});
}

TEST_CASE("crash_point: ends the process at the n-th time, at that name alone") {
  const auto status_of = [](const char* asked) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (asked)
        ::setenv("TAILRACE_CRASHPOINT", asked, 1);
      else
        ::unsetenv("TAILRACE_CRASHPOINT");
      arm_crash_point();
      for (int i = 0; i < 3; ++i) crash_point("a");
      crash_point("b");
      ::_exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  CHECK(status_of(nullptr) == 7);
  CHECK(status_of("") == 7);
  CHECK(status_of("c") == 7);
  CHECK(status_of("a") == 137);
  CHECK(status_of("a:3") == 137);
  CHECK(status_of("a:4") == 7);
  CHECK(status_of("b") == 137);
}
