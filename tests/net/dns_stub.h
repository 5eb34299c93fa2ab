#pragma once
// A name server on a loopback UDP port that says what a test tells it to.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tailrace::testing {

class DnsStub {
 public:
  static constexpr int kServerFailed = 2, kNoSuchName = 3;

  DnsStub() : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~DnsStub() {
    ::shutdown(fd_, SHUT_RDWR);  // wakes the thread
    thread_.join();
    ::close(fd_);
  }

  /// For Connector::Options::name_servers.
  std::string server() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const { return questions_; }

  void answer(const std::string& name, std::vector<std::string> addresses) {
    set(name, {std::move(addresses), 0, false});
  }
  void refuse(const std::string& name, int code) { set(name, {{}, code, false}); }
  void ignore(const std::string& name) { set(name, {{}, 0, true}); }

 private:
  struct Entry {
    std::vector<std::string> addresses;
    int code = 0;
    bool silent = false;
  };

  void set(const std::string& name, Entry entry) {
    const std::scoped_lock lock(mutex_);
    entries_[name] = std::move(entry);
  }

  void run() {
    unsigned char packet[1500];
    sockaddr_in from{};
    while (true) {
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(fd_, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 0) return;
      ++questions_;
      const std::string reply = reply_to(std::string(reinterpret_cast<char*>(packet), size_t(n)));
      if (!reply.empty())
        ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  std::string reply_to(const std::string& question) {
    std::string name;
    size_t at = 12;
    while (at < question.size() && question[at]) {
      if (!name.empty()) name += '.';
      name += question.substr(at + 1, size_t(question[at]));
      at += size_t(question[at]) + 1;
    }
    at += 5;
    if (at > question.size()) return {};
    const int type = question[at - 3];
    Entry entry{{}, kNoSuchName, false};
    {
      const std::scoped_lock lock(mutex_);
      if (const auto it = entries_.find(name); it != entries_.end()) entry = it->second;
    }
    if (entry.silent) return {};
    std::string records;
    char count = 0;
    for (const auto& address : entry.addresses) {
      unsigned char bytes[16];
      const bool v6 = address.find(':') != std::string::npos;
      if ((type == 28) != v6 || ::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes) != 1) continue;
      const char length = v6 ? 16 : 4;
      records += std::string("\xc0\x0c\x00", 3) + char(type) +
                 std::string("\x00\x01\x00\x00\x00\x01\x00", 7) + length;
      records.append(reinterpret_cast<char*>(bytes), size_t(length));
      ++count;
    }
    std::string reply = question.substr(0, 2) + "\x81" + char(0x80 | entry.code);
    reply += std::string("\x00\x01\x00", 3) + count + std::string(4, '\0');
    return reply + question.substr(12, at - 12) + records;
  }

  int fd_;
  uint16_t port_ = 0;
  std::atomic<int> questions_{0};
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::thread thread_;
};

}  // namespace tailrace::testing
