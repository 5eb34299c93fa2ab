#include "net/resolver.h"

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

namespace tailrace {
namespace {

using boost::system::error_code;
using Descriptor = asio::posix::stream_descriptor;

constexpr int kFirstTryMs = 1'500;
constexpr int kTries = 3;
constexpr size_t kMostAddresses = 32;
constexpr size_t kMostKept = 4;
constexpr auto kKeptFor = std::chrono::seconds(30);

void start_library() {
  static const int started = ares_library_init(ARES_LIB_INIT_ALL);
  (void)started;
}

bool set_servers(ares_channel channel, const std::string& servers) {
  return servers.empty() || ares_set_servers_ports_csv(channel, servers.c_str()) == ARES_SUCCESS;
}

class Lookup;

/// A c-ares channel, and whose it is now. To make one costs more than a look-up does, so a few are kept per
/// thread; not for long, so that another resolv.conf is noticed.
struct AresChannel {
  explicit AresChannel(const std::string& its_servers) : servers(its_servers), made(mono_now()) {}
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;
  ~AresChannel() {
    if (ares) ares_destroy(ares);
  }

  /// Null: c-ares has no memory, or does not take the servers.
  static std::unique_ptr<AresChannel> take(Lookup& user, const std::string& servers);
  /// Of a look-up that has come to its end.
  static void keep(std::unique_ptr<AresChannel> channel);

  const std::string servers;
  const Mono made;
  ares_channel ares = nullptr;
  Lookup* user = nullptr;

 private:
  static std::vector<std::unique_ptr<AresChannel>>& kept() {
    thread_local std::vector<std::unique_ptr<AresChannel>> channels;
    return channels;
  }
};

/// One look-up. Lives on one loop, owned by its coroutine; handlers of sockets and timers hold it weakly.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  explicit Lookup(Loop& loop) : io_(loop.io), done_(loop.io), tick_(loop.io) {}
  ~Lookup() {
    ended_ = true;
    if (answered_) AresChannel::keep(std::move(owned_));
    owned_.reset();  // what is still asked is given up here
  }

  bool start(const std::string& name, const std::string& servers) {
    start_library();
    owned_ = AresChannel::take(*this, servers);
    if (!owned_) return false;
    channel_ = owned_->ares;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Lookup::on_answer, this);
    set_tick();
    return true;
  }

  asio::awaitable<void> wait(std::chrono::milliseconds deadline) {
    if (ended_) co_return;
    done_.expires_after(deadline);
    co_await done_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  void end() {
    ended_ = true;
    done_.cancel();
  }

  int status() const { return status_; }
  std::vector<asio::ip::address>& addresses() { return addresses_; }

 private:
  struct Socket {
    explicit Socket(Descriptor d) : descriptor(std::move(d)) {}
    Descriptor descriptor;
    bool wants_read = false, wants_write = false, reading = false, writing = false;
  };

  static void on_answer(void* self, int status, int, ares_addrinfo* info) {
    auto& lookup = *static_cast<Lookup*>(self);
    lookup.status_ = status;
    lookup.answered_ = true;
    if (status == ARES_SUCCESS && info) lookup.take(*info);
    if (info) ares_freeaddrinfo(info);
    if (!lookup.ended_) lookup.end();
  }

  void take(const ares_addrinfo& info) {
    for (const ares_addrinfo_node* node = info.nodes; node && addresses_.size() < kMostAddresses;
         node = node->ai_next) {
      if (node->ai_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, node->ai_addr, sizeof v4);
        addresses_.emplace_back(asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)));
      } else if (node->ai_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, node->ai_addr, sizeof v6);
        asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        addresses_.emplace_back(asio::ip::address_v6(bytes, v6.sin6_scope_id));
      }
    }
  }

  /// c-ares tells what it waits for. The loop watches a duplicate: c-ares closes its own when it likes.
  static void on_socket(void* channel, ares_socket_t fd, int read, int write) {
    Lookup* const user = static_cast<AresChannel*>(channel)->user;
    if (!user) return;
    auto& lookup = *user;
    if (!read && !write) {
      lookup.sockets_.erase(fd);
      return;
    }
    if (lookup.ended_) return;
    auto& socket = lookup.sockets_[fd];
    if (!socket) {
      socket = std::make_shared<Socket>(Descriptor(lookup.io_));
      error_code ec;
      const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (copy >= 0) socket->descriptor.assign(copy, ec);
      if (copy >= 0 && ec) ::close(copy);
    }
    if (!socket->descriptor.is_open()) return;  // out of descriptors: the look-up times out
    socket->wants_read = read;
    socket->wants_write = write;
    lookup.watch(fd, socket);
  }

  void watch(ares_socket_t fd, const std::shared_ptr<Socket>& socket) {
    if (socket->wants_read && !std::exchange(socket->reading, true)) {
      socket->descriptor.async_wait(Descriptor::wait_read,
                                    [weak = weak_from_this(), fd, socket](const error_code& ec) {
                                      socket->reading = false;
                                      if (const auto self = weak.lock(); self && !ec)
                                        self->ready(fd, socket, true);
                                    });
    }
    if (socket->wants_write && !std::exchange(socket->writing, true)) {
      socket->descriptor.async_wait(Descriptor::wait_write,
                                    [weak = weak_from_this(), fd, socket](const error_code& ec) {
                                      socket->writing = false;
                                      if (const auto self = weak.lock(); self && !ec)
                                        self->ready(fd, socket, false);
                                    });
    }
  }

  void ready(ares_socket_t fd, const std::shared_ptr<Socket>& socket, bool readable) {
    if (ended_ || !is_current(fd, socket)) return;
    ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, readable ? ARES_SOCKET_BAD : fd);
    if (!ended_ && is_current(fd, socket)) watch(fd, socket);
    set_tick();
  }

  bool is_current(ares_socket_t fd, const std::shared_ptr<Socket>& socket) const {
    const auto it = sockets_.find(fd);
    return it != sockets_.end() && it->second == socket;
  }

  /// c-ares has no timer of its own.
  void set_tick() {
    timeval left;
    if (ended_ || !ares_timeout(channel_, nullptr, &left)) return;
    tick_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) +
                        std::chrono::milliseconds(1));
    tick_.async_wait([weak = weak_from_this()](const error_code& ec) {
      const auto self = weak.lock();
      if (!self || ec || self->ended_) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->set_tick();
    });
  }

  asio::io_context& io_;
  asio::steady_timer done_, tick_;
  std::unique_ptr<AresChannel> owned_;
  ares_channel channel_ = nullptr;  // its
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  std::vector<asio::ip::address> addresses_;
  int status_ = ARES_ETIMEOUT;  // of one that nobody answered
  bool answered_ = false;       // by c-ares: nothing is asked any more
  bool ended_ = false;

  friend struct AresChannel;
};

std::unique_ptr<AresChannel> AresChannel::take(Lookup& user, const std::string& servers) {
  auto& channels = kept();
  const auto found = std::ranges::find_if(
      channels, [&](const auto& c) { return c->servers == servers && mono_now() - c->made < kKeptFor; });
  std::unique_ptr<AresChannel> channel;
  if (found != channels.end()) {
    channel = std::move(*found);
    channels.erase(found);
    channel->user = &user;
    return channel;
  }
  channels.clear();
  channel = std::make_unique<AresChannel>(servers);
  ares_options options{};
  options.timeout = kFirstTryMs;
  options.tries = kTries;
  options.sock_state_cb = &Lookup::on_socket;
  options.sock_state_cb_data = channel.get();
  static char lookups[] = "fb";  // /etc/hosts, then the name servers
  options.lookups = lookups;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
  if (ares_init_options(&channel->ares, &options, mask) != ARES_SUCCESS) {
    channel->ares = nullptr;
    return nullptr;
  }
  if (!set_servers(channel->ares, servers)) return nullptr;
  channel->user = &user;
  return channel;
}

void AresChannel::keep(std::unique_ptr<AresChannel> channel) {
  if (!channel || kept().size() >= kMostKept) return;
  channel->user = nullptr;
  kept().push_back(std::move(channel));
}

/// The name as it may stand in a text: nothing but what names are made of.
std::string shown(const std::string& name) {
  const bool plain = name.size() <= 255 && std::ranges::all_of(name, [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '.' || c == '-' || c == '_';
                     });
  return plain ? " (" + name + ")" : "";
}

NetFailure failure(int status, const std::string& name) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return {NetErrc::resolve, "resolve: no such name" + shown(name)};
    case ARES_ETIMEOUT:
      return {NetErrc::resolve, "resolve: timed out" + shown(name)};
    case ARES_ECONNREFUSED:
      return {NetErrc::resolve, "resolve: no name server answers" + shown(name)};
    default:
      return {NetErrc::resolve, "resolve: name server failed" + shown(name)};
  }
}

}  // namespace

asio::awaitable<NetResult<std::vector<asio::ip::address>>> resolve(Loop& loop, std::string name,
                                                                   std::string name_servers,
                                                                   std::chrono::milliseconds deadline,
                                                                   std::shared_ptr<ConnectCancel> cancel) {
  const auto lookup = std::make_shared<Lookup>(loop);
  const bool started = lookup->start(name, name_servers);
  if (!started) co_return failure(ARES_ENOTINITIALIZED, name);
  cancel->on_cancel([weak = std::weak_ptr(lookup)] {
    if (const auto l = weak.lock()) l->end();
  });
  co_await lookup->wait(deadline);
  cancel->on_cancel(nullptr);
  if (cancel->cancelled()) co_return NetFailure(NetErrc::stopped, "stopped");
  if (lookup->status() != ARES_SUCCESS) co_return failure(lookup->status(), name);
  if (lookup->addresses().empty()) co_return failure(ARES_ENODATA, name);
  co_return std::move(lookup->addresses());
}

bool are_name_servers(const std::string& text) {
  start_library();
  ares_channel channel = nullptr;
  if (ares_init(&channel) != ARES_SUCCESS) return false;
  const bool good = set_servers(channel, text);
  ares_destroy(channel);
  return good;
}

}  // namespace tailrace
