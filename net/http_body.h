#pragma once
// The body of a request, made as it is sent.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tailrace {

/// Used by one coroutine. A body that is made from something larger costs no memory while a far end takes its
/// time.
class HttpBody {
 public:
  /// Of what peek() is given to write to: several of the largest pieces that a body is made of.
  static constexpr size_t kScratch = 128 * 1024;

  virtual ~HttpBody() = default;
  virtual uint64_t left() const = 0;
  /// What comes next, in `scratch` or elsewhere, until the next call: all that is left, or 16 KiB at least (a
  /// TLS record that could not be written must come again whole). The same bytes until they are taken.
  virtual std::string_view peek(std::span<char> scratch) = 0;
  virtual void take(size_t bytes) = 0;
};

class TextBody final : public HttpBody {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  uint64_t left() const override { return text_.size() - at_; }
  std::string_view peek(std::span<char>) override { return std::string_view(text_).substr(at_); }
  void take(size_t bytes) override { at_ += bytes; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  size_t at_ = 0;
};

}  // namespace tailrace
