#include "cli/send_channel.h"

#include <boost/asio/post.hpp>
#include <future>

#include "base/ids.h"

namespace tailrace {
namespace {

constexpr uint64_t kOneBatch = 3 * kMaxChunk;       // chunks that one batch of SendInput's may need, in bytes
constexpr uint64_t kUnbounded = uint64_t(1) << 62;  // the log's own bound is the only one
constexpr Micros kForever = Micros(100) * 365 * 86'400 * 1'000'000;

AddressPolicy any_address() {
  return *AddressPolicy::parse("0.0.0.0/0,::/0", "");
}

}  // namespace

/// Its notices are told instead of kept: nobody reads it but the drain.
class SendChannel::SendLog final : public MemoryLog {
 public:
  SendLog(const Channel& channel, uint64_t bytes, MemoryPressure& pressure,
          std::function<void(std::string_view)> tell)
      : MemoryLog(channel, {.history = 0, .bytes = bytes, .age = kForever}, Position{1}, nullptr, pressure),
        tell_(std::move(tell)) {}

  void add_notice(std::string line) override { tell_(line); }

 private:
  const std::function<void(std::string_view)> tell_;
};

SendChannel::SendChannel(Options options)
    : connector_(loops_, {.policy = any_address(), .name_servers = options.name_servers}),
      tls_(options.ca_file),
      pressure_{kUnbounded, [] {}},
      buffer_(options.buffer),
      channel_(std::make_shared<Channel>()),
      drains_(loops_, {.connector = connector_, .tls = tls_}) {
  entry_.id = 1;
  entry_.token = new_drain_token();  // frame ids of two processes never meet
  entry_.url = options.far_end.target.shown;
  entry_.channel = channel_;
  channel_->id = "send";
  channel_->log = std::make_unique<SendLog>(
      *channel_, buffer_, pressure_,
      [tell = std::move(options.tell), token = entry_.token](std::string_view line) {
        if (const std::string_view words = words_of(line, token); !words.empty()) tell(words);
      });
  drains_.add(entry_, std::move(options.far_end));
  loops_.start();
}

std::string_view SendChannel::words_of(std::string_view notice, std::string_view drain_token) {
  const size_t at = notice.find("]: ");
  if (at != notice.npos) notice.remove_prefix(at + 3);
  // Losses have their own words: the drain's are one line a second.
  if (notice.starts_with("Error L10 ")) return {};
  const std::string name = "drain '" + std::string(drain_token) + "' ";
  if (notice.starts_with(name)) notice.remove_prefix(name.size());
  return notice;
}

void SendChannel::append(const Batch& batch) {
  struct Nobody final : AppendWaiter {
    void appended(Result<Position> first) override { stored = first.has_value(); }
    bool stored = false;
  } waiter;
  channel_->log->append(batch, waiter);
  if (!waiter.stored) throw std::logic_error("a log without a bound refused a batch");
}

bool SendChannel::has_room() {
  const auto enough = [this] { return channel_->log->totals().bytes + kOneBatch <= buffer_; };
  if (enough()) return true;
  channel_->log->expire(wall_now());  // what the drain has read needs no room
  return enough();
}

bool SendChannel::settled() const {
  const DrainSet::Account now = account();
  return now.ledger.buffered == 0 && now.status.told == now.ledger.dropped_total();
}

void SendChannel::hurry() {
  drains_.flush({});
  if (const DrainState state = account().status.state;
      state == DrainState::failing || state == DrainState::paused)
    drains_.drain_paused(entry_);  // that is, no longer
  std::promise<void> done;
  asio::post(loops_[0].io, [&done] { done.set_value(); });
  done.get_future().wait();
}

SendChannel::~SendChannel() {
  drains_.stop();
  for (int turn = 0; turn < 2; ++turn) {  // what was cancelled ends
    std::promise<void> done;
    asio::post(loops_[0].io, [&done] { done.set_value(); });
    done.get_future().wait();
  }
  loops_.stop();
}

}  // namespace tailrace
