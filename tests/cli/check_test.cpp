// What `tailrace check` says of files, addresses and directories.

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>

#include "channels/disk/lock_file.h"
#include "cli/certificate_check.h"
#include "cli/data_dir_check.h"
#include "cli/listen_check.h"
#include "cli/sink_certificate.h"

using namespace tailrace;
namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string>;

class Dir {
 public:
  Dir() {
    std::string pattern = fs::temp_directory_path() / "tailrace-check-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Dir() { fs::remove_all(path_); }
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Findings tls(const TlsFiles& files) {
  Findings out;
  check_server_tls(files, wall_now(), out);
  return out;
}

Settings with_dir(const std::string& dir) {
  Settings settings = *read_settings({{"TAILRACE_DISK_BYTES", "64M"}}, {}, read_small_file).settings;
  settings.data_dir = dir;
  return settings;
}

Findings data_dir(const std::string& dir) {
  Findings out;
  check_data_dir(with_dir(dir), out);
  return out;
}

bool has(const Lines& lines, const std::string& part) {
  for (const std::string& line : lines)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("a certificate and its key: good, soon over, over, not begun, another's") {
  const Dir dir;
  const SinkAuthority authority;
  const auto made = [&](int first, int last) {
    const SinkCertificate one = authority.sign(
        {.names = {"DNS:localhost"}, .first_day = first, .last_day = last, .by_itself = false});
    return TlsFiles{dir.file("c.pem", one.certificate), dir.file("k.pem", one.key), {}};
  };
  TlsFiles good = made(-1, 30);
  good.client_ca = dir.file("ca.pem", authority.certificate());
  CHECK(tls(good).problems.empty());
  CHECK(tls(good).warnings.empty());

  const Findings ending = tls(made(-1, 13));
  CHECK(ending.problems.empty());
  CHECK(has(ending.warnings, "c.pem: expires at 20"));
  CHECK(has(tls(made(-9, -1)).problems, "c.pem: expired at 20"));
  CHECK(has(tls(made(2, 30)).problems, "c.pem: is valid from 20"));

  TlsFiles mixed = made(-1, 30);
  const SinkCertificate other = authority.sign({.names = {"DNS:localhost"}});
  mixed.key = dir.file("other.pem", other.key);
  CHECK(has(tls(mixed).problems, "other.pem: is not the key of TAILRACE_TLS_CERT"));
}

TEST_CASE("each TLS file that is no good is told, not the first alone") {
  const Dir dir;
  const Findings out =
      tls({dir.file("c.pem", "nothing"), dir.file("k.pem", "nothing"), dir.path() + "/none"});
  CHECK(out.problems.size() == 3);
  CHECK(has(out.problems, "TAILRACE_TLS_CERT=" + dir.path() + "/c.pem: takes a PEM file with a certificate"));
  CHECK(has(out.problems, "TAILRACE_TLS_KEY=" + dir.path() + "/k.pem: takes a PEM file with a key"));
  CHECK(has(out.problems, "TAILRACE_TLS_CLIENT_CA=" + dir.path() + "/none: No such file"));
  CHECK(has(tls({dir.path(), "", ""}).problems, "is a directory"));
}

TEST_CASE("a key that everybody may read, and authorities") {
  const Dir dir;
  const SinkAuthority authority;
  const SinkCertificate one = authority.sign({.names = {"DNS:localhost"}});
  const TlsFiles files{dir.file("c.pem", one.certificate), dir.file("k.pem", one.key), {}};
  ::chmod(files.key.c_str(), 0644);
  CHECK(has(tls(files).warnings, "k.pem: everybody on this machine may read it"));
  Findings out;
  check_authorities(dir.file("ca.pem", authority.certificate()), out);
  CHECK(out.problems.empty());
  check_authorities(dir.file("bad.pem", "nothing"), out);
  check_authorities(dir.path() + "/none", out);
  CHECK(out.problems.size() == 2);
}

TEST_CASE("a data dir that is not there is not made; one that is in use or open to others is told") {
  const Dir dir;
  const std::string inside = dir.path() + "/a/b";
  CHECK(data_dir(inside).problems.empty());
  CHECK(data_dir(inside).warnings.empty());
  CHECK_FALSE(fs::exists(dir.path() + "/a"));
  CHECK(has(data_dir(dir.file("f", "x")).problems, "is no directory"));
  CHECK(has(data_dir(dir.path() + "/f/x").problems, "/f is no directory"));

  const std::string ours = dir.path() + "/ours";
  fs::create_directories(ours + "/segments");
  ::chmod(ours.c_str(), 0700);
  CHECK(data_dir(ours).warnings.empty());
  ::chmod(ours.c_str(), 0755);
  CHECK(has(data_dir(ours).warnings, "others may look into it"));
  LockFile lock;
  REQUIRE(lock.take(ours).empty());
  CHECK(has(data_dir(ours).warnings, "in use by pid " + std::to_string(::getpid())));
  CHECK(data_dir(ours).problems.empty());
  std::ofstream(ours + "/catalog.db") << "no database";
  CHECK(has(data_dir(ours).warnings, "catalog.db: "));
  CHECK(has(data_dir(dir.path()).warnings, "holds other things"));
}

TEST_CASE("a file system with too little room for the bound") {
  const Dir dir;
  Settings settings = with_dir(dir.path() + "/d");
  settings.disk_bytes = uint64_t{1} << 60;
  Findings out;
  check_data_dir(settings, out);
  CHECK(has(out.warnings, "TAILRACE_DISK_BYTES=64M: the file system has room for "));
}

TEST_CASE("addresses: in use is a warning, one's own twice and one that is nobody's a problem") {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor taken(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::string port = std::to_string(taken.local_endpoint().port());
  Settings settings;
  settings.http_listen = "127.0.0.1:" + port;
  settings.admin_listen = "127.0.0.1:0";
  settings.syslog_listen = {{"127.0.0.1:0", {}}};
  Findings out;
  check_listeners(settings, out);
  CHECK(out.problems.empty());
  CHECK(out.warnings == Lines{"TAILRACE_HTTP_LISTEN=127.0.0.1:" + port + ": in use by another process"});

  taken.close();
  settings.admin_listen = "0.0.0.0:" + port;
  settings.syslog_listen = {{"192.0.2.1:" + port, {}}};
  settings.syslog_udp_listen = {{"127.0.0.1:" + port, {}}, {"127.0.0.1:" + port, {}}};
  out = {};
  check_listeners(settings, out);
  CHECK(out.warnings.empty());
  CHECK(out.problems.size() == 3);
  CHECK(has(out.problems,
            "TAILRACE_ADMIN_LISTEN=0.0.0.0:" + port + ": the same address as TAILRACE_HTTP_LISTEN"));
  CHECK(has(out.problems, "TAILRACE_SYSLOG_LISTEN=192.0.2.1:" + port + ": "));
  CHECK(has(out.problems, "TAILRACE_SYSLOG_UDP_LISTEN=127.0.0.1:" + port + ": the same address"));
}
