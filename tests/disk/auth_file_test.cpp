// The generated admin credential.

#include "channels/disk/auth_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/disk/catalog_fixture.h"
#include "tests/disk/scoped_hook.h"
#include "tests/disk/temp_dir.h"

using namespace tailrace;

namespace {

KeptAuth kept_in(const TempDir& dir) {
  std::string error;
  const auto kept = keep_auth(dir.path(), error);
  REQUIRE_MESSAGE(kept, error);
  return *kept;
}

}  // namespace

TEST_CASE("auth: generated once, for its owner's eyes, and read at later starts") {
  const TempDir dir;
  const KeptAuth first = kept_in(dir);
  CHECK(first.generated);
  CHECK(first.warning.empty());
  CHECK(first.auth.size() == 38);
  CHECK(first.auth.starts_with("admin:"));
  CHECK(first.auth.find_first_not_of("0123456789abcdef", 6) == first.auth.npos);
  struct stat status;
  REQUIRE(::stat((dir / "auth").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  const KeptAuth second = kept_in(dir);
  CHECK(second.auth == first.auth);
  CHECK_FALSE(second.generated);
  CHECK(second.warning.empty());

  ::chmod((dir / "auth").c_str(), 0640);
  const KeptAuth wide = kept_in(dir);
  CHECK(wide.auth == first.auth);
  CHECK(wide.warning == dir / "auth" + " can be read by others; it should have mode 0600");

  const TempDir other;
  CHECK(kept_in(other).auth != first.auth);
}

TEST_CASE("auth: a line that somebody wrote is taken as it is") {
  const TempDir dir;
  write_bytes(dir / "auth", "ops:a secret: with colons\r\n");
  CHECK(kept_in(dir).auth == "ops:a secret: with colons");
}

TEST_CASE("auth: one that holds no credential is kept aside and made anew (D12)") {
  for (const std::string bytes : {"", "admin", ":x", "admin:", "admin:\x01x", "a:b\nc:d"}) {
    CAPTURE(bytes);
    const TempDir dir;
    write_bytes(dir / "auth", bytes);
    const KeptAuth kept = kept_in(dir);
    CHECK(kept.generated);
    CHECK_FALSE(kept.warning.empty());
    CHECK(bytes_of(dir / "auth.bad") == bytes);
    CHECK(kept_in(dir).auth == kept.auth);
  }
}

TEST_CASE("auth: what cannot be read is refused by name") {
  const TempDir dir;
  std::filesystem::create_directory(dir / "auth");
  std::string error;
  CHECK_FALSE(keep_auth(dir.path(), error));
  CHECK(error == "cannot read " + dir / "auth" + ": Is a directory");
}

TEST_CASE("auth: what cannot be stored is good for one run, and nothing half-written stays") {
  for (const IoStep::Kind kind :
       {IoStep::Kind::create, IoStep::Kind::write, IoStep::Kind::sync, IoStep::Kind::rename}) {
    const TempDir dir;
    {
      const ScopedHook hook([&](const IoStep& step, size_t&) { return step.kind == kind ? ENOSPC : 0; });
      const KeptAuth kept = kept_in(dir);
      CHECK(kept.generated);
      CHECK(kept.warning == "the generated credential is good for this run only: cannot store " +
                                dir / "auth" + ": No space left on device");
      CHECK(kept.warning.find(kept.auth.substr(6)) == std::string::npos);
    }
    CHECK_FALSE(exists(dir / "auth"));
    CHECK_FALSE(exists(dir / "auth.new"));
    CHECK(kept_in(dir).warning.empty());
  }
}
