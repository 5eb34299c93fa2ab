#pragma once
// What a session says, put together again from the bytes of its answer.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace {

struct SessionItem {
  std::optional<uint64_t> number;  // none: a notice of the router's own
  std::string_view text;           // empty: a heartbeat; lives as long as the call that gives it
};

/// One answer. Belongs to one thread. What is cut off at its end is handed on by nobody: it comes again.
class SessionStream {
 public:
  enum class Form : uint8_t {
    lines,   // `application/x-tailrace-lines`: `NUMBER LENGTH\n` and so many bytes; `-` for a notice's number
    events,  // `text/event-stream`
  };
  static constexpr size_t kMostText = 1 << 20;

  explicit SessionStream(Form form) : form_(form) {}

  /// False: enough.
  using Take = std::function<bool(const SessionItem&)>;
  enum class Fed : uint8_t { more, enough, broken };
  /// Hands on what is whole now. After `broken` (no item, or one over kMostText) and `enough` nothing makes
  /// sense any more.
  Fed add(std::string_view chunk, const Take& take);

 private:
  enum class Found : uint8_t { item, nothing, incomplete, broken };
  Found next(std::string_view& bytes, SessionItem& item);
  Found next_line(std::string_view& bytes, SessionItem& item) const;
  Found next_event(std::string_view& bytes, SessionItem& item);

  const Form form_;
  std::string rest_;  // of an item that is not whole yet
  std::string data_;  // of the event at hand
};

/// What `Accept` asks for it.
std::string_view media_type(SessionStream::Form form);

}  // namespace tailrace
