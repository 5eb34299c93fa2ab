#include "ingest/syslog_udp.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <latch>
#include <sstream>

#include "base/log.h"
#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t kBatch = 64;            // datagrams of one recvmmsg and one flush
constexpr size_t kSlot = 65'536;         // the largest datagram
constexpr int kRounds = 4;               // batches, then others have their turn
constexpr int kLastRounds = 1024;        // of what had arrived when the process ends
constexpr int kReceiveBuffer = 8 << 20;  // wanted

}  // namespace

std::string_view record_in_datagram(std::string_view datagram) {
  const size_t blank = datagram.substr(0, 6).find(' ');
  if (blank != std::string_view::npos && datagram[0] != '0' &&
      parse_u64(datagram.substr(0, blank)) == datagram.size() - blank - 1 &&
      datagram.substr(blank + 1).starts_with('<'))
    datagram.remove_prefix(blank + 1);
  if (datagram.ends_with('\0')) {
    datagram.remove_suffix(1);
  } else if (datagram.ends_with('\n')) {
    datagram.remove_suffix(datagram.ends_with("\r\n") ? 2 : 1);
  }
  return datagram;
}

/// One listener. Lives on its loop, by the handlers that hold it, until close().
class SyslogUdp::Receiver : public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(Loop& loop, Intake& intake, const Store& store, std::string token_id)
      : loop_(loop), intake_(intake), store_(store), connected_(loop), token_id_(std::move(token_id)) {
    for (size_t i = 0; i < kBatch; ++i) {
      slots_[i] = {.iov_base = memory_.get() + i * kSlot, .iov_len = kSlot};
      messages_[i].msg_hdr.msg_iov = &slots_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// No SO_REUSEADDR: with UDP it would let a second process take the datagrams.
  error_code bind(const asio::ip::udp::endpoint& at) {
    error_code ec;
    socket_.open(at.protocol(), ec);
    if (ec) return ec;
    // The privileged way goes beyond net.core.rmem_max.
    const int fd = socket_.native_handle(), wanted = kReceiveBuffer;
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
      (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    socket_.bind(at, ec);
    if (ec) return ec;
    address_ = (std::ostringstream() << socket_.local_endpoint(ec)).str();
    asio::socket_base::receive_buffer_size granted;
    if (!ec) socket_.get_option(granted, ec);
    receive_buffer_ = size_t(granted.value()) / 2;  // the kernel says the double of what was set
    struct stat status{};
    if (::fstat(fd, &status) == 0) inode_ = status.st_ino;
    return ec;
  }

  void start() {
    asio::post(loop_.io, [self = shared_from_this()] { self->wait(); });
  }
  /// On the loop: what has arrived, within a bound, drains lagging or not.
  void take_the_rest() {
    for (int round = 0; round < kLastRounds && receive() > 0; ++round) continue;
  }
  void close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

  Loop& loop() { return loop_; }
  const std::string& address() const { return address_; }
  size_t receive_buffer() const { return receive_buffer_; }
  uint64_t inode() const { return inode_; }

 private:
  void wait() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code ec) {
      if (!ec) self->read();
    });
  }

  void pause() {
    timer_.expires_after(kYieldToDrains);
    timer_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->wait();
    });
  }

  void read() {
    for (int round = 0; round < kRounds; ++round) {
      const int n = receive();
      if (n < 0 || intake_.crowded()) return pause();
      if (size_t(n) < kBatch) break;
    }
    wait();
  }

  /// Takes one batch: how many datagrams, 0 if there are none, less if the kernel cannot now.
  int receive() {
    const int n = ::recvmmsg(socket_.native_handle(), messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    const Micros arrival = wall_now();
    const Source source{token_id_.empty() ? nullptr : intake_.token(token_id_), arrival};
    const bool nobody = !token_id_.empty() && !source.token, room = store_.has_room();
    Rejections rejections;
    for (size_t i = 0; i < size_t(n); ++i) {
      const std::string_view record =
          record_in_datagram({static_cast<const char*>(slots_[i].iov_base), messages_[i].msg_len});
      if (record.empty()) continue;
      if (nobody)
        rejections.add(RejectReason::unknown_token);
      else if (!room)
        rejections.add(RejectReason::no_room);
      else
        intake_.take(record, source);
    }
    intake_.flush(Protocol::udp, arrival, rejections, nullptr);
    return n;
  }

  Loop& loop_;
  Intake& intake_;
  const Store& store_;
  const Connected connected_;
  const std::string token_id_;
  asio::ip::udp::socket socket_{loop_.io};
  asio::steady_timer timer_{loop_.io};
  // A page of it becomes memory when a datagram first needs it.
  const std::unique_ptr<char[]> memory_ = std::make_unique_for_overwrite<char[]>(kBatch * kSlot);
  std::array<iovec, kBatch> slots_;
  std::array<mmsghdr, kBatch> messages_{};
  std::string address_;
  size_t receive_buffer_ = 0;
  uint64_t inode_ = 0;
};

SyslogUdp::SyslogUdp(EventLoops& loops, std::vector<std::unique_ptr<Intake>>& intakes, const Store& store)
    : loops_(loops), intakes_(intakes), store_(store) {}
SyslogUdp::~SyslogUdp() = default;

error_code SyslogUdp::listen(const asio::ip::udp::endpoint& at, std::string token_id) {
  Loop& loop = loops_.least_loaded();
  auto receiver = std::make_shared<Receiver>(loop, *intakes_[loop.index], store_, std::move(token_id));
  if (const error_code ec = receiver->bind(at)) return ec;
  receivers_.push_back(std::move(receiver));
  drops_.emplace_back();
  return {};
}

void SyslogUdp::start() {
  for (const auto& receiver : receivers_) receiver->start();
}

void SyslogUdp::stop() {
  std::latch taken(ptrdiff_t(receivers_.size()));
  for (const auto& receiver : receivers_)
    asio::post(receiver->loop().io, [receiver, &taken] {
      receiver->take_the_rest();
      taken.count_down();
    });
  taken.wait();
  (void)kernel_drops();  // while the sockets are in the tables
  for (const auto& receiver : receivers_) asio::post(receiver->loop().io, [receiver] { receiver->close(); });
}

std::vector<SyslogUdp::Listening> SyslogUdp::listening() const {
  std::vector<Listening> all;
  all.reserve(receivers_.size());
  for (const auto& receiver : receivers_) all.push_back({receiver->address(), receiver->receive_buffer()});
  return all;
}

std::vector<SyslogUdp::Drops> SyslogUdp::kernel_drops() {
  std::vector<Drops> all;
  if (receivers_.empty()) return all;
  const std::lock_guard lock(drops_mutex_);
  const std::string tables = udp_socket_tables();
  for (size_t i = 0; i < receivers_.size(); ++i) {
    if (const auto number = drops_in_table(tables, receivers_[i]->inode())) drops_[i].seen(*number);
    if (const auto total = drops_[i].total()) all.push_back({receivers_[i]->address(), *total});
  }
  return all;
}

}  // namespace tailrace
