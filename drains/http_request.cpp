#include "drains/http_request.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "drains/compress.h"
#include "drains/signature.h"

namespace tailrace {
namespace {

/// Frames of a batch, one behind the other.
class FramesBody final : public HttpBody {
 public:
  FramesBody(const Delivery& batch, const Frames& frames)
      : batch_(batch), frames_(frames), left_(batch.l10.size()) {
    for (const Slice& slice : batch.slices)
      for (const Record record : slice) left_ += frames_.size(record);
    if (!batch.slices.empty()) record_at_ = batch.slices.front().begin_at;
  }

  uint64_t left() const override { return left_; }

  std::string_view peek(std::span<char> scratch) override {
    char* const begin = scratch.data();
    char* at = begin;
    if (in_l10_) at += batch_.l10.copy(at, batch_.l10.size());
    size_t slice = slice_;
    uint32_t record_at = record_at_;
    while (slice < batch_.slices.size()) {
      const Slice& from = batch_.slices[slice];
      const Record record(from.chunk->data() + record_at);
      const size_t size = frames_.size(record);
      if (size > scratch.size() - size_t(at - begin)) break;
      at = frames_.write(record, at);
      step(slice, record_at, record);
    }
    return std::string_view(begin, size_t(at - begin)).substr(offset_);
  }

  void take(size_t bytes) override {
    left_ -= bytes;
    offset_ += bytes;
    if (in_l10_) {
      if (offset_ < batch_.l10.size()) return;
      offset_ -= batch_.l10.size();
      in_l10_ = false;
    }
    while (slice_ < batch_.slices.size()) {
      const Record record(batch_.slices[slice_].chunk->data() + record_at_);
      const size_t size = frames_.size(record);
      if (offset_ < size) return;
      offset_ -= size;
      step(slice_, record_at_, record);
    }
  }

 private:
  void step(size_t& slice, uint32_t& record_at, const Record& record) const {
    record_at += uint32_t(record.stride());
    if (record_at < batch_.slices[slice].end_at || ++slice == batch_.slices.size()) return;
    record_at = batch_.slices[slice].begin_at;
  }

  const Delivery& batch_;
  const Frames& frames_;
  uint64_t left_;
  // Where the next byte lies: in the L10 frame, or in the frame of the record at `record_at_` of `slice_`.
  bool in_l10_ = true;
  size_t slice_ = 0, offset_ = 0;
  uint32_t record_at_ = 0;
};

constexpr size_t kAtOnce = 128 * 1024;  // bytes that are compressed before others have their turn

}  // namespace

std::string RequestMaker::loss(const Loss& loss, Micros now) const {
  if (options_.sender) return sender_loss(options_.sender->app, loss, now);
  return frames_.loss(loss.records, loss.since, now);
}

asio::awaitable<std::unique_ptr<HttpBody>> RequestMaker::body(const Delivery& batch) const {
  auto frames = std::make_unique<FramesBody>(batch, frames_);
  const bool packed = options_.encoding != DrainOptions::Encoding::identity;
  if (!packed && options_.signing_secret.empty()) co_return std::move(frames);

  const auto scratch = std::make_unique_for_overwrite<char[]>(HttpBody::kScratch);
  std::string text;
  std::optional<Compressor> compressor;
  if (packed)
    compressor.emplace(options_.encoding, frames->left());
  else
    text.reserve(frames->left());
  for (size_t since_turn = 0; frames->left();) {
    const std::string_view piece = frames->peek({scratch.get(), HttpBody::kScratch});
    if (packed)
      compressor->add(piece);
    else
      text += piece;
    since_turn += piece.size();
    frames->take(piece.size());
    if (since_turn < kAtOnce || !frames->left()) continue;
    since_turn = 0;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  if (packed) text = compressor->finish();
  co_return std::make_unique<TextBody>(std::move(text));
}

std::string RequestMaker::head(const Delivery& batch, const HttpBody& body, Micros now) const {
  std::string head = "POST " + target_.request_path + " HTTP/1.1\r\nHost: " + target_.host_header + "\r\n";
  if (!target_.authorization.empty()) head += "Authorization: " + target_.authorization + "\r\n";
  head += "Content-Type: application/logplex-1\r\nLogplex-Msg-Count: ";
  head += std::to_string(batch.records + (batch.l10.empty() ? 0 : 1));
  head += "\r\nLogplex-Frame-Id: " + batch.frame_id + names(batch) + "\r\nContent-Length: ";
  head += std::to_string(body.left()) + "\r\n";
  if (options_.encoding == DrainOptions::Encoding::gzip) head += "Content-Encoding: gzip\r\n";
  if (options_.encoding == DrainOptions::Encoding::zstd) head += "Content-Encoding: zstd\r\n";
  for (const auto& [name, value] : options_.headers) head += name + ": " + value + "\r\n";
  if (!options_.signing_secret.empty()) head += signature(batch, body, now);
  head += "\r\n";
  return head;
}

/// Who sends, and what only a sender says.
std::string RequestMaker::names(const Delivery& batch) const {
  if (!options_.sender)
    return "\r\nLogplex-Drain-Token: " + drain_token_ + "\r\nUser-Agent: Logplex/tailrace-" TAILRACE_VERSION;
  std::string names = "\r\nX-Request-Id: " + batch.frame_id;
  if (const uint64_t dropped = batch.loss.evicted.records)
    names += "\r\nLogplex-Drop-Count: " + std::to_string(dropped);
  if (const uint64_t lost = batch.loss.refused.records)
    names += "\r\nLogplex-Lost-Count: " + std::to_string(lost);
  return names + "\r\nUser-Agent: tailrace-send/" TAILRACE_VERSION;
}

/// The three fields of Standard Webhooks. A body that is signed is a TextBody.
std::string RequestMaker::signature(const Delivery& batch, const HttpBody& body, Micros now) const {
  const int64_t seconds = now / 1'000'000;
  const std::string& text = static_cast<const TextBody&>(body).text();
  return "webhook-id: " + batch.frame_id + "\r\nwebhook-timestamp: " + std::to_string(seconds) +
         "\r\nwebhook-signature: " +
         webhook_signature(options_.signing_secret, batch.frame_id, seconds, text) + "\r\n";
}

}  // namespace tailrace
