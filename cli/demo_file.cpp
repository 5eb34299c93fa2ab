#include "cli/demo_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace tailrace {
namespace {

std::optional<DemoFile> read_ours(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  struct stat about{};
  const bool ours = ::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == ::geteuid() &&
                    (about.st_mode & 0777) == 0600;
  char text[4096];
  const ssize_t length = ours ? ::read(file, text, sizeof text) : -1;
  ::close(file);
  if (length <= 0) return std::nullopt;

  const auto json = nlohmann::json::parse(text, text + length, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto url = json.find("url"), auth = json.find("auth"), pid = json.find("pid");
  if (url == json.end() || !url->is_string() || auth == json.end() || !auth->is_string() ||
      pid == json.end() || !pid->is_number_integer()) {
    return std::nullopt;
  }
  return DemoFile{*url, *auth, *pid};
}

}  // namespace

std::string demo_file_path() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime) return std::string(runtime) + "/tailrace-demo.json";
  return "/tmp/tailrace-demo-" + std::to_string(::geteuid()) + ".json";
}

Result<void> write_demo_file(const DemoFile& demo, const std::string& path) {
  const auto failure = [] { return error_code(errno, boost::system::system_category()); };
  const std::string text =
      nlohmann::json{{"url", demo.url}, {"auth", demo.auth}, {"pid", demo.pid}}.dump() + "\n";
  const std::string draft = path + "." + std::to_string(::getpid());
  ::unlink(draft.c_str());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return failure();
  const bool written =
      ::fchmod(file, 0600) == 0 && ::write(file, text.data(), text.size()) == ssize_t(text.size());
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    const error_code failed = failure();
    ::close(file);
    ::unlink(draft.c_str());
    return failed;
  }
  ::close(file);
  return {};
}

std::optional<DemoFile> read_demo_file(const std::string& path) {
  auto demo = read_ours(path);
  if (!demo || demo->pid <= 0) return std::nullopt;
  if (::kill(demo->pid, 0) != 0 && errno != EPERM) return std::nullopt;
  return demo;
}

void remove_demo_file(int pid, const std::string& path) {
  const auto demo = read_ours(path);
  if (demo && demo->pid == pid) ::unlink(path.c_str());
}

}  // namespace tailrace
