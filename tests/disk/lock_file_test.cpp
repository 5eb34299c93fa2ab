// One process per data dir (D13).

#include "channels/disk/lock_file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/disk/catalog_fixture.h"
#include "tests/disk/temp_dir.h"

using namespace tailrace;

namespace {

/// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& dir) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      LockFile lock;
      const char said = lock.take(dir).empty() ? '+' : '-';
      if (::write(pipe[1], &said, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(pipe[1]);
    char said = 0;
    CHECK(::read(pipe[0], &said, 1) == 1);
    CHECK(said == '+');
    ::close(pipe[0]);
  }
  ~Holder() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  std::string name() const { return "pid " + std::to_string(pid_) + " since 20"; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("lock: the second process is told who holds the dir, until that one is gone (D13)") {
  const TempDir dir;
  Holder holder(dir.path());
  const std::string told = "data dir " + dir.path() + " is in use by " + holder.name();
  {
    LockFile second;
    const std::string error = second.take(dir.path());
    CHECK(error.starts_with(told));
    CHECK(error.find('\n') == error.npos);
    CHECK(LockFile::holder(dir.path()).starts_with(holder.name()));
  }
  struct stat status;
  REQUIRE(::stat((dir / "lock").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  // Without its file it is held as well; only the name is lost.
  std::filesystem::remove(dir / "lock");
  {
    LockFile second;
    CHECK(second.take(dir.path()) == "data dir " + dir.path() + " is in use by another process");
  }
  holder.kill();
  CHECK(LockFile::holder(dir.path()).empty());
  LockFile next;
  CHECK(next.take(dir.path()).empty());
}

TEST_CASE("lock: a text that nobody holds is no obstacle, and is replaced") {
  const TempDir dir;
  write_bytes(dir / "lock", "pid=1 since=2020-01-01T00:00:00+00:00 and much more that nobody wrote here\n");
  CHECK(LockFile::holder(dir.path()).empty());
  LockFile lock;
  CHECK(lock.take(dir.path()).empty());
  const std::string text = bytes_of(dir / "lock");
  CHECK(text.starts_with("pid=" + std::to_string(::getpid()) + " since=20"));
  CHECK(text.ends_with("+00:00\n"));
  CHECK(text.size() < 50);
}

TEST_CASE("lock: a dir that is not there, and a text that says nothing") {
  const TempDir dir;
  LockFile lock;
  CHECK(lock.take(dir / "none") == "cannot open " + dir / "none" + ": No such file or directory");
  const Holder holder(dir.path());
  write_bytes(dir / "lock", "pid=you are root since=yesterday");
  LockFile second;
  CHECK(second.take(dir.path()) == "data dir " + dir.path() + " is in use by another process");
}
