#pragma once
// Prints what a session says: the bytes as they are in a pipe, harmless and coloured on a terminal.

#include <string>

#include "cli/session_reader.h"

namespace tailrace {

enum class LineForm : uint8_t {
  text,  // `TIME APP[PROCID]: MSG`
  json,  // the object
  raw,   // MSG alone
};

struct LineLook {
  LineForm form = LineForm::text;
  bool color = false;     // text alone has colours
  bool terminal = false;  // control characters are shown, not sent
};

/// Appends one item as it is printed, with a newline at its end. A notice among raw messages, which nothing
/// would tell from them, goes to `aside` as text.
void append_shown(std::string& out, std::string& aside, const SessionItem& item, const LineLook& look);

/// On stdout, in one write for all that came at once; notices of the connection on stderr.
class LinePrinter final : public SessionSink {
 public:
  /// `hold`: nothing is printed before finish(), up to kHeld bytes: who pages through a history must not keep
  /// the router waiting.
  LinePrinter(const LineLook& look, bool quiet, bool hold) : look_(look), quiet_(quiet), hold_(hold) {}

  void take(const SessionItem& item) override { append_shown(out_, aside_, item, look_); }
  bool flush() override { return (hold_ && out_.size() < kHeld) || finish(); }
  bool finish();
  void tell(const std::string& text) override;
  /// Why stdout took no more; 0: its reader has gone, or it still takes.
  int trouble() const { return trouble_; }

 private:
  static constexpr size_t kHeld = 64 << 20;

  const LineLook look_;
  const bool quiet_, hold_;
  std::string out_, aside_;
  int trouble_ = 0;
};

}  // namespace tailrace
